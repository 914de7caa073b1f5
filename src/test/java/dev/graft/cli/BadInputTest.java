package dev.graft.cli;

import static dev.graft.cli.CliRunner.graft;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import dev.graft.cli.CliRunner.Run;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.safetensors.SafetensorsBytes;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code merge} says to files that it cannot use, and that it then leaves nothing behind. */
class BadInputTest {

  private static final String A = "base_model.model.bert.pooler.dense.lora_A.weight";
  private static final String B = "base_model.model.bert.pooler.dense.lora_B.weight";

  @TempDir Path folder;

  @Test
  void refusesAnOutputThatIsAnInput() throws IOException {
    Path model = Files.copy(Samples.MODEL, folder.resolve("model.onnx"));
    Path link = Files.createSymbolicLink(folder.resolve("link.onnx"), model);
    Path hard = Files.createLink(folder.resolve("hard.onnx"), model);
    for (Path output : List.of(model, folder.resolve("x/../model.onnx"), link, hard)) {
      Run run = graft("merge", "-m", model, "-a", Samples.ADAPTER, "-o", output);
      assertThat(run.code()).as(output.toString()).isEqualTo(2);
      assertThat(run.err()).contains("would overwrite the input");
    }
    assertThat(Files.mismatch(model, Samples.MODEL)).isEqualTo(-1);
  }

  @Test
  void refusesAFolderAsOutput() throws IOException {
    Path output = Files.createDirectory(folder.resolve("merged"));
    Run run = graft("merge", "-m", Samples.MODEL, "-a", Samples.ADAPTER, "-o", output);
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("is a directory; name a file in it");
    assertThat(Samples.tree(folder)).containsExactly("merged");
  }

  @Test
  void namesAModelThatIsMissing() throws IOException {
    refuses(3, "gone.onnx: no such file", folder.resolve("gone.onnx"), Samples.ADAPTER);
  }

  @Test
  void namesAnAdapterThatIsMissing() throws IOException {
    refuses(3, "gone: ", Samples.MODEL, folder.resolve("gone"));
  }

  @Test
  void refusesADirectoryAsModel() throws IOException {
    refuses(3, "is a directory", Files.createDirectory(folder.resolve("d.onnx")), Samples.ADAPTER);
  }

  @Test
  void refusesAnAdapterFolderWithoutAdapter() throws IOException {
    refuses(
        3, "adapter_config.json", Samples.MODEL, Files.createDirectory(folder.resolve("empty")));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 100, 70_000, 144_000})
  void refusesATruncatedModel(int length) throws IOException {
    byte[] bytes = Arrays.copyOf(Files.readAllBytes(Samples.MODEL), length);
    Path model = Files.write(folder.resolve("cut.onnx"), bytes);
    refuses(3, "cut.onnx: ", model, Samples.ADAPTER);
  }

  @Test
  void refusesTruncatedAndPaddedAdapters() throws IOException {
    byte[] sound = Samples.weights();
    refusesWeights("truncated", Arrays.copyOf(sound, sound.length - 4));
    refusesWeights("", Arrays.copyOf(sound, sound.length + 4));
    refusesWeights("too few for a safetensors file", new byte[4]);
  }

  @Test
  void refusesAHeaderLongerThanTheFile() throws IOException {
    byte[] header = "{}".getBytes(StandardCharsets.UTF_8);
    refusesWeights("the file is truncated", SafetensorsBytes.of(1000, header, new byte[8]));
    refusesWeights("at most", SafetensorsBytes.of(Long.MAX_VALUE, header, new byte[8]));
  }

  @Test
  void refusesTensorsThatOverlapOrLeaveGapsOrLieOutside() throws IOException {
    refusesWeights(B, pair("F32 [4, 32]", 0, "F32 [32, 4]", 256));
    refusesWeights(B, pair("F32 [4, 32]", 0, "F32 [32, 4]", 516));
    refusesWeights(B, pair("F32 [4, 32]", 0, "F32 [32, 4]", 1 << 20));
  }

  @Test
  void refusesDuplicateKeys() throws IOException {
    String twice =
        "{"
            + SafetensorsBytes.entry(A, "F32 [4, 32]", 0, 512)
            + ","
            + SafetensorsBytes.entry(A, "F32 [4, 32]", 512, 1024)
            + "}";
    refusesWeights("Duplicate", SafetensorsBytes.of(twice, 1024));
  }

  @Test
  void refusesNumbersThatAreNotFinite() throws IOException {
    byte[] bytes = Samples.weights();
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(bytes.length - 4, Float.NaN);
    refusesWeights("NaN", bytes);
  }

  @Test
  void refusesAnAdapterForAnotherModel() throws IOException {
    refuses(3, "0 of 13 targets are bound, 13 are not", Samples.OTHER_MODEL, Samples.ADAPTER);
  }

  @Test
  void refusesAnAdapterOfWhichOnlyAPartBinds() throws IOException {
    Path adapter =
        Samples.adapterWith(
            folder,
            SafetensorsBytes.float32(
                A + " [4,32]",
                B + " [32,4]",
                query(A) + " [4,32]",
                query(B) + " [32,4]",
                A.replace("pooler", "nowhere") + " [4,32]",
                B.replace("pooler", "nowhere") + " [32,4]"));
    Run run = refuses(3, "2 of 3 targets are bound, 1 are not", Samples.MODEL, adapter);
    assertThat(run.err()).contains("bert.nowhere.dense: ");
  }

  @Test
  void refusesShapesThatDoNotFit() throws IOException {
    Path adapter =
        Samples.adapterWith(
            folder,
            SafetensorsBytes.float32(
                A + " [4,48]", B + " [32,4]", query(A) + " [4,32]", query(B) + " [32,4]"));
    Run run = refuses(3, "[4, 48]", Samples.MODEL, adapter);
    assertThat(run.err()).contains("has 32 inputs and 32 outputs");
  }

  @Test
  void refusesRanksThatDoNotFitTheConfiguration() throws IOException {
    refusesWeights("rank", SafetensorsBytes.float32(A + " [3,32]", B + " [32,3]"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"../outside.bin", "a/../../outside.bin", "/etc/passwd"})
  void refusesExternalDataOutsideTheFolder(String location) throws IOException {
    Path inner = Files.createDirectory(folder.resolve("inner"));
    Files.write(folder.resolve("outside.bin"), Samples.weight());
    Path model = Samples.externalIn(inner, location);
    Run run = refuses(3, location, model, Samples.ADAPTER);
    assertThat(run.err()).contains(Samples.WEIGHT);
  }

  @Test
  void refusesExternalDataBehindALink() throws IOException {
    Path data = Files.write(folder.resolve("real.bin"), Samples.weight());
    Files.createSymbolicLink(folder.resolve("link.bin"), data.getFileName());
    refuses(3, "link", Samples.externalIn(folder, "link.bin"), Samples.ADAPTER);
  }

  @Test
  void refusesExternalDataThatIsTooShortOrMissing() throws IOException {
    Path model = Samples.externalIn(folder, "short.bin");
    refuses(3, "short.bin", model, Samples.ADAPTER);
    Files.write(folder.resolve("short.bin"), new byte[4095]);
    Run run = refuses(3, "which has 4095 bytes", model, Samples.ADAPTER);
    assertThat(run.err()).contains("truncated or belongs to another model");
  }

  @Test
  void tellsHowToConvertAPickle() throws IOException {
    Path adapter = Samples.adapterIn(folder);
    Files.move(adapter.resolve("adapter_model.safetensors"), adapter.resolve("adapter_model.bin"));
    Run run = refuses(4, "adapter_model.bin", Samples.MODEL, adapter);
    assertThat(run.err()).contains("safetensors");
  }

  @Test
  void refusesAnotherKindOfAdapter() throws IOException {
    Path adapter = Samples.adapterWith(folder, "\"LORA\"", "\"LOHA\"");
    refuses(4, "peft_type is \"LOHA\"", Samples.MODEL, adapter);
  }

  @Test
  void refusesAQuantisedBase() throws IOException {
    Run run = refuses(4, "onnx::MatMul_787_quantized", Samples.MINILM_Q, Samples.MINILM_ADAPTER);
    assertThat(run.err()).contains("MatMulInteger").contains("quantise the result");
  }

  @Test
  void refusesAnOutputOfTwoGigabytesWithItsWeightsInside() throws IOException {
    Path model = Files.copy(Samples.MODEL, folder.resolve("huge.onnx"));
    // One more weight, a hole that takes no room on the disk, fills the file up to the limit.
    int hole = (Integer.MAX_VALUE - (int) Files.size(model) - 300) & ~3;
    byte[] start = startOfModelWith(hole);
    try (RandomAccessFile file = new RandomAccessFile(model.toFile(), "rw")) {
      file.setLength(0);
      file.write(start);
      file.setLength((long) start.length + hole);
    }
    refuses(4, "2 GB", model, Samples.ADAPTER);
  }

  @Test
  void keepsAnOlderOutputWhenTheDiskIsFull() throws Exception {
    assumeTrue(!System.getProperty("os.name").startsWith("Windows"), "no ulimit");
    Path output = Files.writeString(folder.resolve("model.onnx"), "old");
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Process process =
        new ProcessBuilder(
                "sh",
                "-c",
                "ulimit -f 128; exec \"$@\"",
                "sh",
                java.toString(),
                "-Xshare:auto",
                "-XX:-UsePerfData",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "merge",
                "-m",
                Samples.MODEL.toString(),
                "-a",
                Samples.ADAPTER.toString(),
                "-o",
                output.toString())
            .redirectErrorStream(true)
            .start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(printed).isEqualTo(5);
    assertThat(printed).startsWith("graft: no space left on the device").contains("model.onnx");
    assertThat(output).hasContent("old");
    assertThat(Samples.tree(folder)).containsExactly("model.onnx");
  }

  private void refusesWeights(String words, byte[] weights) throws IOException {
    Path own = Files.createTempDirectory(folder, "case");
    refuses(3, words, Samples.MODEL, Samples.adapterWith(own, weights));
  }

  /** Two modules are needed for a prefix: one alone would be matched by the end of its name. */
  private static String query(String pooler) {
    return pooler.replace("pooler.dense", "encoder.layer.0.attention.self.query");
  }

  private Run refuses(int code, String words, Path model, Path adapter) throws IOException {
    List<String> before = Samples.tree(folder);
    Run run = graft("merge", "-m", model, "-a", adapter, "-o", folder.resolve("out/merged.onnx"));
    assertThat(run.code()).as(run.err()).isEqualTo(code);
    assertThat(run.err()).startsWith("graft: ").contains(words).doesNotContain("\tat ");
    assertThat(run.out()).isEmpty();
    assertThat(Samples.tree(folder)).isEqualTo(before);
    return run;
  }

  /** The sample model up to the data of a weight of so many bytes, with which it ends. */
  private static byte[] startOfModelWith(int weightBytes) throws IOException {
    ModelProto model = ModelProto.parseFrom(Files.readAllBytes(Samples.MODEL));
    TensorProto weight =
        TensorProto.newBuilder().setName("hole").setDataType(1).addDims(weightBytes / 4).build();
    byte[] tensor = joined(weight.toByteArray(), prefix(9, weightBytes));
    byte[] initializer = joined(prefix(5, tensor.length + weightBytes), tensor);
    byte[] graph = joined(model.getGraph().toByteArray(), initializer);
    byte[] rest = model.toBuilder().clearGraph().build().toByteArray();
    return joined(rest, joined(prefix(7, graph.length + weightBytes), graph));
  }

  /** Tag and length of a field. */
  private static byte[] prefix(int field, int length) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream coded = CodedOutputStream.newInstance(bytes);
    coded.writeTag(field, WireFormat.WIRETYPE_LENGTH_DELIMITED);
    coded.writeUInt32NoTag(length);
    coded.flush();
    return bytes.toByteArray();
  }

  private static byte[] joined(byte[] a, byte[] b) {
    byte[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  /** Two tensors, each 512 bytes long by its shape. */
  private static byte[] pair(String a, int beginA, String b, int beginB) {
    String header =
        "{"
            + SafetensorsBytes.entry(A, a, beginA, beginA + 512)
            + ","
            + SafetensorsBytes.entry(B, b, beginB, beginB + 512)
            + "}";
    return SafetensorsBytes.of(header, 1024);
  }
}

package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.BindingException;
import dev.graft.error.FormatException;
import dev.graft.error.GraftException;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import dev.graft.fold.MergeRequest.Repeat;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.safetensors.SafetensorsWriter;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.tensor.TensorSource;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class MergeTest {

  @TempDir Path folder;

  private static Merge.Result merge(MergeRequest request) {
    return new Merge(MergePlan.of(request), "graft test", Progress.NONE).run(2);
  }

  private MergeRequest request(LinearModel model) throws IOException {
    return MergeRequest.of(
        model.writeModel(folder.resolve("base")),
        model.writeAdapter(folder.resolve("adapter")),
        folder.resolve("out/model.onnx"));
  }

  private static byte[] stored(Path model, String name) throws IOException {
    StoredTensor tensor =
        OnnxModel.open(model).tensors().stream()
            .filter(t -> t.label().equals(name))
            .findFirst()
            .orElseThrow();
    TensorSource source = tensor.source().orElseThrow();
    byte[] file = Files.readAllBytes(source.file());
    return Arrays.copyOfRange(file, (int) source.offset(), (int) source.end());
  }

  private static List<Path> files(Path in) throws IOException {
    try (Stream<Path> found = Files.exists(in) ? Files.list(in) : Stream.empty()) {
      return found.sorted().toList();
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0, Double.NaN, Double.POSITIVE_INFINITY})
  void refusesAWeightThatIsNoFactor(double weight) throws IOException {
    MergeRequest plain = request(new LinearModel(DType.FLOAT32, DType.FLOAT32, 1));
    MergeRequest request =
        new MergeRequest(
            plain.model(),
            plain.adapter(),
            weight,
            plain.output(),
            Binder.Options.DERIVED,
            Repeat.REFUSED);
    assertThatThrownBy(() -> MergePlan.of(request)).isInstanceOf(UsageException.class);
  }

  @Test
  void refusesToWriteOverAnythingThatItReads() throws IOException {
    LinearModel model = new LinearModel(DType.FLOAT32, DType.FLOAT32, 1);
    Path base = model.writeExternalModel(Files.createDirectories(folder.resolve("base")));
    Path adapter = model.writeAdapter(folder.resolve("adapter"));
    Path link = Files.createSymbolicLink(folder.resolve("link.onnx"), base);
    for (Path output :
        List.of(
            base,
            base.resolveSibling("weights.bin"),
            link,
            adapter.resolve("adapter_model.safetensors"),
            adapter.resolve("adapter_config.json"))) {
      assertThatThrownBy(() -> MergePlan.of(MergeRequest.of(base, adapter, output)))
          .isInstanceOf(UsageException.class)
          .hasMessageContaining("overwrite the input");
    }
  }

  @Test
  void refusesNonFiniteAdaptersAndResultsAndLeavesNothingBehind() throws IOException {
    LinearModel broken = new LinearModel(DType.FLOAT32, DType.FLOAT32, 2);
    broken.aOfHead[3][5] = Float.NaN;
    MergeRequest request = request(broken);
    assertThatThrownBy(() -> merge(request))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("head.lora_A.weight");
    LinearModel large = new LinearModel(DType.FLOAT16, DType.FLOAT32, 2);
    large.aOfHead[0][4] = 1e6f;
    large.bOfHead[6][0] = 1f;
    MergeRequest overflow = request(large);
    assertThatThrownBy(() -> merge(overflow))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("'head.weight' (head): element")
        .hasMessageContaining("FLOAT16 cannot hold");
    assertThat(files(folder.resolve("out"))).isEmpty();
  }

  @Test
  void refusesAHeadOfATypeThatIsNotFolded() throws IOException {
    LinearModel model = new LinearModel(DType.FLOAT32, DType.FLOAT32, 13);
    Path adapter = Files.createDirectories(folder.resolve("adapter"));
    Files.writeString(
        adapter.resolve("adapter_config.json"),
        "{\"peft_type\": \"LORA\", \"modules_to_save\": [\"head\"]}");
    new SafetensorsWriter()
        .add(
            "base_model.model.head.weight",
            DType.FLOAT64,
            Shape.of(LinearModel.OUT, LinearModel.OUT),
            MemorySegment.ofArray(new byte[8 * LinearModel.OUT * LinearModel.OUT]))
        .write(adapter.resolve("adapter_model.safetensors"));
    MergeRequest request =
        MergeRequest.of(
            model.writeModel(folder.resolve("base")), adapter, folder.resolve("out/model.onnx"));
    assertThatThrownBy(() -> merge(request))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("head.weight: the adapter's tensor has the element type FLOAT64");
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "FLOAT16", "BFLOAT16"})
  void everyElementIsTheDocumentedArithmetic(DType type) throws IOException {
    for (DType adapterType : List.of(DType.FLOAT32, DType.FLOAT16, DType.BFLOAT16)) {
      LinearModel model = new LinearModel(type, adapterType, 7);
      MergeRequest request = request(model);
      merge(request);
      float[] fc = LinearModel.decoded(type, model.fc);
      float[] head = LinearModel.decoded(type, model.head);
      ByteBuffer newFc = littleEndian(stored(request.output(), "onnx::MatMul_1"));
      ByteBuffer newHead = littleEndian(stored(request.output(), "head.weight"));
      for (int o = 0; o < LinearModel.OUT; o++) {
        for (int i = 0; i < LinearModel.IN; i++) {
          int at = i * LinearModel.OUT + o;
          float expected =
              ScalarReference.element(fc[at], model.aOfFc, model.bOfFc, LinearModel.SCALE, o, i);
          assertBits(type, newFc, at, expected);
        }
        for (int i = 0; i < LinearModel.OUT; i++) {
          int at = o * LinearModel.OUT + i;
          float expected =
              ScalarReference.element(
                  head[at], model.aOfHead, model.bOfHead, LinearModel.SCALE, o, i);
          assertBits(type, newHead, at, expected);
        }
      }
    }
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void assertBits(DType type, ByteBuffer found, int at, float expected) {
    switch (type) {
      case FLOAT32 -> assertThat(found.getInt(4 * at)).isEqualTo(Float.floatToRawIntBits(expected));
      case FLOAT16 -> assertThat(found.getShort(2 * at)).isEqualTo(Float.floatToFloat16(expected));
      default -> assertThat(found.getShort(2 * at)).isEqualTo(ScalarReference.bfloat16(expected));
    }
  }

  @Test
  void bytesDoNotDependOnThreadsOrBlocks() throws IOException {
    MergeRequest request = request(new LinearModel(DType.BFLOAT16, DType.FLOAT32, 3));
    byte[] first = null;
    for (int threads : new int[] {1, 2, 5}) {
      for (int block : new int[] {1, 1000, 1 << 20}) {
        new Merge(MergePlan.of(request), "graft test", Progress.NONE).run(threads, block);
        byte[] bytes = Files.readAllBytes(request.output());
        first = first == null ? bytes : first;
        assertThat(bytes).isEqualTo(first);
      }
    }
  }

  @Test
  void embeddedExternalAndTypedWeightsFoldToTheSame() throws IOException {
    for (DType type : List.of(DType.FLOAT32, DType.FLOAT16, DType.BFLOAT16)) {
      LinearModel model = new LinearModel(type, DType.FLOAT32, 4);
      Path adapter = model.writeAdapter(folder.resolve("adapter"));
      Path embedded = folder.resolve(type + "/embedded/model.onnx");
      Path external = folder.resolve(type + "/external/model.onnx");
      Path typed = folder.resolve(type + "/typed/model.onnx");
      Files.createDirectories(folder.resolve("b"));
      merge(MergeRequest.of(model.writeModel(folder.resolve("a")), adapter, embedded));
      merge(MergeRequest.of(model.writeExternalModel(folder.resolve("b")), adapter, external));
      merge(MergeRequest.of(model.writeTypedModel(folder.resolve("c")), adapter, typed));
      for (String name : List.of("onnx::MatMul_1", "head.weight")) {
        assertThat(stored(external, name)).isEqualTo(stored(embedded, name));
        assertThat(stored(typed, name)).isEqualTo(stored(embedded, name));
      }
      byte[] data = Files.readAllBytes(external.resolveSibling("model.onnx.data"));
      assertThat(data[0]).as("unreferenced first byte").isEqualTo((byte) 42);
      assertThat(data[data.length - 1]).as("unreferenced last byte").isEqualTo((byte) 43);
    }
  }

  @Test
  void aSecondMergeToTheSameNameReplacesTheDataFileToo() throws IOException {
    LinearModel model = new LinearModel(DType.FLOAT32, DType.FLOAT32, 5);
    Path base = model.writeExternalModel(Files.createDirectories(folder.resolve("base")));
    MergeRequest request =
        MergeRequest.of(
            base, model.writeAdapter(folder.resolve("adapter")), folder.resolve("out/m.onnx"));
    merge(request);
    byte[] weights = stored(request.output(), "head.weight");
    assertThat(merge(request).leftOver()).isEmpty();
    assertThat(stored(request.output(), "head.weight")).isEqualTo(weights);
    assertThat(files(folder.resolve("out")))
        .hasSize(2)
        .anyMatch(f -> f.getFileName().toString().matches("m\\.onnx\\.data\\.[0-9a-f]{8}"));
    Files.writeString(folder.resolve("out/other.onnx.data"), "not ours");
    merge(MergeRequest.of(base, request.adapter(), folder.resolve("out/other.onnx")));
    assertThat(folder.resolve("out/other.onnx.data")).hasContent("not ours");
  }

  @Test
  void theSameAdapterIsRefusedAnotherOneStacks() throws IOException {
    LinearModel model = new LinearModel(DType.FLOAT32, DType.FLOAT32, 6);
    MergeRequest request = request(model);
    merge(request);
    Path second = folder.resolve("second/model.onnx");
    assertThatThrownBy(() -> merge(MergeRequest.of(request.output(), request.adapter(), second)))
        .isInstanceOf(BindingException.class)
        .hasMessageContaining("--again");
    merge(
        new MergeRequest(
            request.output(),
            request.adapter(),
            0.5,
            second,
            Binder.Options.DERIVED,
            Repeat.ALLOWED));
    Path other =
        new LinearModel(DType.FLOAT32, DType.FLOAT32, 9).writeAdapter(folder.resolve("other"));
    merge(MergeRequest.of(second, other, folder.resolve("third/model.onnx")));
    assertThat(Provenance.of(OnnxModel.open(folder.resolve("third/model.onnx"))))
        .extracting(p -> p.adapter().name())
        .containsExactly("adapter", "adapter", "other");
  }

  @Test
  void provenanceNamesNoPathAndHashesWhatChanged() throws IOException {
    MergeRequest request = request(new LinearModel(DType.FLOAT32, DType.FLOAT32, 8));
    Merge.Result result = merge(request);
    String metadata = OnnxModel.open(request.output()).metadata().toString();
    assertThat(metadata).doesNotContain(folder.toString()).contains("\"name\":\"adapter\"");
    assertThat(result.provenance().tensors())
        .hasSize(2)
        .allSatisfy(t -> assertThat(t.before().orElseThrow()).isNotEqualTo(t.after()).hasSize(64))
        .allSatisfy(t -> assertThat(t.parts().getFirst().scale()).isEqualTo(1.5));
    assertThat(Provenance.of(OnnxModel.open(request.output())))
        .containsExactly(result.provenance());
  }

  @Test
  void carriesConfigAlongButNeverOverAnotherFile() throws IOException {
    MergeRequest request = request(new LinearModel(DType.FLOAT32, DType.FLOAT32, 10));
    Path base = request.model().resolveSibling("");
    Path out = Files.createDirectories(request.output().resolveSibling(""));
    Files.writeString(base.resolve("config.json"), "{\"id2label\": {}}");
    Files.writeString(base.resolve("tokenizer.json"), "theirs");
    Files.writeString(out.resolve("tokenizer.json"), "mine");
    Files.writeString(base.resolve("notes.txt"), "private");
    Files.writeString(
        base.resolve("genai_config.json"),
        "{\"model\": {\"decoder\": {\"filename\": \"base.onnx\", \"head_size\": 8}}}");
    assertThat(merge(request).carried().files())
        .containsExactly("config.json", "genai_config.json");
    assertThat(out.resolve("config.json")).hasContent("{\"id2label\": {}}");
    assertThat(out.resolve("tokenizer.json")).hasContent("mine");
    assertThat(out.resolve("notes.txt")).doesNotExist();
    assertThat(Files.readString(out.resolve("genai_config.json")))
        .contains("\"model.onnx\"")
        .contains("\"head_size\" : 8");
  }

  @Test
  void aFailureNeverLeavesAFile() throws IOException {
    MergeRequest request = request(new LinearModel(DType.FLOAT32, DType.FLOAT32, 12));
    Path truncated = folder.resolve("truncated.onnx");
    byte[] model = Files.readAllBytes(request.model());
    Files.write(truncated, Arrays.copyOf(model, model.length / 2));
    assertThatThrownBy(() -> merge(MergeRequest.of(truncated, request.adapter(), request.output())))
        .isInstanceOf(GraftException.class);
    assertThat(files(folder.resolve("out"))).isEmpty();
    assertThatThrownBy(() -> merge(MergeRequest.of(folder, request.adapter(), request.output())))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("is a directory");
  }
}

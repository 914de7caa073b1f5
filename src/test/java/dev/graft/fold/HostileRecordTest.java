package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.GraftException;
import dev.graft.error.UnsupportedException;
import dev.graft.fold.MergeRequest.Repeat;
import dev.graft.fold.Unmerge.Existing;
import dev.graft.io.AtomicOutput;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.tensor.DType;
import dev.graft.undo.RecordReader;
import dev.graft.undo.RecordWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Records that lie, with a hash that is right, are refused as damaged, and nothing is written. */
class HostileRecordTest {

  @TempDir Path folder;
  private Path merged = Path.of("");
  private Path record = Path.of("");

  @BeforeEach
  void merge() throws IOException {
    LinearModel model = new LinearModel(DType.FLOAT16, DType.FLOAT32, 5);
    merged = folder.resolve("merged/model.onnx");
    record = UndoRecord.pathFor(merged);
    MergeRequest request =
        new MergeRequest(
            model.writeExternalModel(Files.createDirectories(folder.resolve("base"))),
            model.writeAdapter(folder.resolve("adapter")),
            1,
            merged,
            Binder.Options.DERIVED,
            Repeat.REFUSED);
    new Merge(MergePlan.of(request), "graft test", Progress.NONE, UndoPolicy.KEPT).run(1);
  }

  @Test
  void comesBackFromARecordThatIsOnlyWrittenAnew() throws IOException {
    rewrite("\"merge\":1", "\"merge\":1");
    unmerge();
    assertThat(folder.resolve("back/model.onnx"))
        .hasSameBinaryContentAs(folder.resolve("base/model.onnx"));
    assertThat(folder.resolve("back/weights.bin"))
        .hasSameBinaryContentAs(folder.resolve("base/weights.bin"));
  }

  /** The first two columns are regular expressions, since offsets are for the record to know. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"merged\":\\[.*?\\]|\"merged\":null",
        "\"merged\":\\[.*?\\]|\"merged\":[]",
        "\"merged\":\\[.*?\\]|\"merged\":[null]",
        "\"merged\":\\[.*?\\],|''",
        "\"base\":\\[.*?\\],\"tensors|\"base\":[],\"tensors",
        "\"base\":\\[.*?\\],\"tensors|\"base\":null,\"tensors",
        "\"base\":\\[.*?\\],\"tensors|\"base\":[null],\"tensors",
        "\"tensors\":\\[.*\\],\"literals|\"tensors\":[],\"literals",
        "\"tensors\":\\[.*\\],\"literals|\"tensors\":[null],\"literals",
        "\"provenanceSha256\":\"[0-9a-f]*\"|\"provenanceSha256\":null",
        "\"provenanceSha256\":\"[0-9a-f]*\",|''",
        "\"merge\":1|\"merge\":99999999999999999999",
        "\"pieces\":\\[\\[.*?\\]|\"pieces\":[[]",
        "\"pieces\":\\[\\[.*?\\]|\"pieces\":[null",
        "\"pieces\":\\[\\[.*?\\]|\"pieces\":[[null]",
        "\"pieces\":\\[\\[.*?\\]|\"pieces\":[[7,1]",
        "\"pieces\":\\[\\[.*?\\]|\"pieces\":[[-1,1]",
        "\"pieces\":\\[\\[.*?\\]|\"pieces\":[[0,0,-5,10]",
        "\"pieces\":\\[\\[.*?\\]|\"pieces\":[[0,0,0,-10]",
        "\"pieces\":\\[\\[.*?\\]|\"pieces\":[[0,9,0,10]",
        "\"pieces\":\\[\\[.*?\\]|\"pieces\":[[0,4294967296,0,10]",
        "\"pieces\":\\[\\[.*?\\]|\"pieces\":[[0,0,0,9223372036854775807]",
        "\"pieces\":\\[\\[.*?\\]|\"pieces\":[[1,77]",
        "\"pieces\":\\[\\[.*?\\]|\"pieces\":[[1,-1]",
        "\"pieces\":\\[\\[.*?\\]|\"pieces\":[[2,9223372036854775807]",
        "\"pieces\":\\[\\[.*?\\]|\"pieces\":[[2,0]",
        "\"rowLength\":\\d+|\"rowLength\":0",
        "\"rowLength\":\\d+|\"rowLength\":-1",
        "\"rowLength\":\\d+|\"rowLength\":1",
        "\"rowLength\":\\d+|\"rowLength\":2147483647",
        "\"rowLength\":\\d+|\"rowLength\":null",
        "\"dtype\":\"FLOAT16\"|\"dtype\":\"INT4\"",
        "\"dtype\":\"FLOAT16\"|\"dtype\":\"STRING\"",
        "\"dtype\":\"FLOAT16\"|\"dtype\":\"FLOAT32\"",
        "\"dtype\":\"FLOAT16\"|\"dtype\":\"NONE\"",
        "\"dtype\":\"FLOAT16\"|\"dtype\":null",
        "\"dtype\":\"FLOAT32\"|\"dtype\":\"STRING\"",
        "\"dtype\":\"FLOAT32\"|\"dtype\":\"INT64\"",
        "\"kind\":\"ADDED\"|\"kind\":\"REPLACED\"",
        "\"kind\":\"ADDED\"|\"kind\":\"SCALED\"",
        "\"kind\":\"ADDED\"|\"kind\":null",
        "\"kind\":\"lora\"|\"kind\":\"dora\"",
        "\"kind\":\"lora\"|\"kind\":\"experts\"",
        "\"kind\":\"lora\"|\"kind\":\"shift\"",
        "\"kind\":\"lora\"|\"kind\":\"other\"",
        "\"parts\":\\[.*?\\],\"kept|\"parts\":[],\"kept",
        "\"parts\":\\[.*?\\],\"kept|\"parts\":[null],\"kept",
        "\"place\":\\{.*?\\}|\"place\":null",
        "\"place\":\\{\"file\":1|\"place\":{\"file\":2",
        "\"place\":\\{\"file\":1|\"place\":{\"file\":-1",
        "\"place\":\\{\"file\":1,\"offset\":\\d+|\"place\":{\"file\":1,\"offset\":-1",
        "\"place\":\\{\"file\":1,\"offset\":\\d+|\"place\":{\"file\":1,\"offset\":9223372036854775807",
        "\"runs\":\\[.*?\\]|\"runs\":[]",
        "\"runs\":\\[.*?\\]|\"runs\":[1]",
        "\"runs\":\\[.*?\\]|\"runs\":[0,0]",
        "\"runs\":\\[.*?\\]|\"runs\":[null,0]",
        "\"runs\":\\[.*?\\]|\"runs\":[-1,1]",
        "\"runs\":\\[.*?\\]|\"runs\":[2147483647,2147483647]",
        "\"factors\":\\[\\]|\"factors\":[null]",
        "\"factors\":\\[\\]|\"factors\":[{\"offset\":0,\"length\":9223372036854775807}]",
        "\"blocks\":\\[.*?\\]|\"blocks\":[]",
        "\"blocks\":\\[.*?\\]|\"blocks\":[0,1]",
        "\"blocks\":\\[.*?\\]|\"blocks\":[2147483647,2147483647]",
        "\"blocks\":\\[.*?\\]|\"blocks\":[7,1]",
        "\"outputs\":\\[.*?\\]|\"outputs\":[]",
        "\"outputs\":\\[.*?\\]|\"outputs\":[0,0]",
        "\"outputs\":\\[.*?\\]|\"outputs\":[-1,5]",
        "\"outputs\":\\[.*?\\]|\"outputs\":[9223372036854775807,9]",
        "\"outputs\":\\[.*?\\]|\"outputs\":[3,5]",
        "\"region\":\\[.*?\\]|\"region\":[]",
        "\"region\":\\[.*?\\]|\"region\":[9223372036854775806,9]",
        "\"region\":\\[.*?\\]|\"region\":[0,1000]",
        "\"a\":0|\"a\":-1",
        "\"a\":0|\"a\":77",
        "\"a\":0|\"a\":1",
        "\"b\":1|\"b\":-1",
        "\"b\":1|\"b\":0",
        "\"layout\":\"IN_OUT\"|\"layout\":\"OUT_IN\"",
        "\"layout\":\"IN_OUT\"|\"layout\":null",
        "\"axis\":\"ROWS\"|\"axis\":null",
        "\"literals\":\\{.*?\\}|\"literals\":null",
        "\"literals\":\\{\"offset\":\\d+|\"literals\":{\"offset\":-1",
        "\"literals\":\\{\"offset\":\\d+|\"literals\":{\"offset\":9223372036854775807",
        "(\"literals\":\\{\"offset\":\\d+,\"length\":)\\d+|$110",
        "(\"literals\":\\{\"offset\":\\d+,\"length\":)\\d+|$1-10",
        "(\"literals\":\\{\"offset\":\\d+,\"length\":)\\d+|$19223372036854775807",
        "\"stored\":\\[\\d+\\]|\"stored\":[-1]",
        "\"stored\":\\[\\d+\\]|\"stored\":[3]",
        "\"stored\":\\[\\d+\\]|\"stored\":[2147483647]",
        "\"stored\":\\[\\d+\\]|\"stored\":[null]",
        "\"adapter\":\\{.*\\},\"earlier|\"adapter\":null,\"earlier",
        "\"shape\":\\[.*?\\]|\"shape\":[]",
        "\"shape\":\\[.*?\\]|\"shape\":[0,7]",
        "\"shape\":\\[.*?\\]|\"shape\":[-7,-37]",
        "\"shape\":\\[.*?\\]|\"shape\":[259]",
        "\"shape\":\\[.*?\\]|\"shape\":[4294967296,4294967296]",
        "\"shape\":\\[.*?\\]|\"shape\":[null]",
        "\"earlier\":\\{.*\\}|\"earlier\":{\"offset\":0,\"length\":9223372036854775807}}",
        "\"earlier\":\\{.*\\}|\"earlier\":{\"offset\":0,\"length\":-5}}",
        "\"earlier\":\\{.*\\}|\"earlier\":null}",
        "^.*$|null",
        "^.*$|[]",
        "^.*$|{}",
        "^.*$|''",
        "^.*$|{\"merge\":"
      })
  void refusesAnIndexThatLies(String found, String instead) throws IOException {
    rewrite(found, instead);
    assertThatThrownBy(this::unmerge)
        .isInstanceOf(GraftException.class)
        .satisfiesAnyOf(
            e -> assertThat(e).isInstanceOf(FormatException.class),
            // An integer tensor of the adapter is what it is, but nothing to add.
            e -> assertThat(e).isInstanceOf(UnsupportedException.class));
    assertNothingWritten();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../weights.bin",
        "/tmp/weights.bin",
        "sub/weights.bin",
        "sub/../../weights.bin",
        "..",
        ".hidden",
        "C:\\\\\\\\weights.bin",
        "a\\\\\\\\b",
        "a\\\\u0000b",
        "model.onnx"
      })
  void writesNoDataFileElsewhere(String location) throws IOException {
    rewrite(
        "(\"base\":.*?\"location\":\"\".*?\"location\":)\"weights.bin\"", "$1\"" + location + "\"");
    assertThatThrownBy(this::unmerge).isInstanceOf(GraftException.class);
    assertNothingWritten();
    assertThat(folder.resolve("weights.bin")).doesNotExist();
  }

  @Test
  void refusesEveryTruncation() throws IOException {
    byte[] whole = Files.readAllBytes(record);
    for (int length = 0; length < whole.length; length += length < 80 ? 1 : 97) {
      Files.write(record, Arrays.copyOf(whole, length));
      assertThatThrownBy(this::unmerge).isInstanceOf(FormatException.class);
    }
    assertNothingWritten();
  }

  @Test
  void refusesAByteThatWasChangedAnywhere() throws IOException {
    byte[] whole = Files.readAllBytes(record);
    for (int at = 0; at < whole.length; at += at < 32 || at > whole.length - 64 ? 1 : 61) {
      byte[] changed = whole.clone();
      changed[at] ^= 0x10;
      Files.write(record, changed);
      assertThatThrownBy(this::unmerge)
          .as("byte %d", at)
          .isInstanceOfAny(FormatException.class, UnsupportedException.class);
    }
    assertNothingWritten();
  }

  @Test
  void refusesANewerVersionByItsNumber() throws IOException {
    byte[] changed = Files.readAllBytes(record);
    changed[8] = 2;
    Files.write(record, changed);
    assertThatThrownBy(this::unmerge)
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("version 2, this program knows up to 1");
    changed[11] = (byte) 0x80;
    Files.write(record, changed);
    assertThatThrownBy(this::unmerge)
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("version 2147483650");
    changed[8] = 0;
    changed[11] = 0;
    Files.write(record, changed);
    assertThatThrownBy(this::unmerge).isInstanceOf(FormatException.class);
  }

  /** Writes the record anew with one text of its index replaced; the hash is right again. */
  private void rewrite(String found, String instead) throws IOException {
    byte[] index;
    byte[] runs;
    try (RecordReader reader = RecordReader.open(record)) {
      index = reader.index();
      runs = reader.run(16, reader.file().size() - 16);
    }
    String text = new String(index, StandardCharsets.UTF_8);
    String changed = text.replaceFirst("(?s)" + found, instead);
    assertThat(instead.equals(found) || !changed.equals(text)).as("%s is there", found).isTrue();
    Files.delete(record);
    try (AtomicOutput out = AtomicOutput.begin(record)) {
      RecordWriter writer = new RecordWriter(out.main());
      // The old index and footer stay as a run, so that offsets keep their meaning.
      writer.append(runs);
      writer.finish(changed.getBytes(StandardCharsets.UTF_8));
      out.commit();
    }
  }

  private void unmerge() {
    try (RestoredBase restored = RestoredBase.open(merged, Optional.empty())) {
      new Unmerge(restored, folder.resolve("back/model.onnx"), Existing.REFUSED, Progress.NONE)
          .run(2);
    }
  }

  private void assertNothingWritten() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(p -> p.getFileName().toString()))
          .containsExactlyInAnyOrder("base", "adapter", "merged");
    }
  }
}

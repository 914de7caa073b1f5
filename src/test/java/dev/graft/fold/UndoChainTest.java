package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.GraftException;
import dev.graft.error.UsageException;
import dev.graft.fold.MergeRequest.Repeat;
import dev.graft.fold.Unmerge.Existing;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.tensor.DType;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Merges one over the other, taken back, switched, and left unfinished by a crash. */
class UndoChainTest {

  @TempDir Path folder;
  private Path base = Path.of("");
  private Path[] adapters = {};

  @BeforeEach
  void makeModel() throws IOException {
    make(DType.BFLOAT16);
  }

  private void make(DType type) throws IOException {
    base = new LinearModel(type, DType.FLOAT32, 1).writeModel(folder.resolve("base-" + type));
    adapters = new Path[3];
    for (int i = 0; i < adapters.length; i++) {
      adapters[i] =
          new LinearModel(type, DType.FLOAT32, 10 + i).writeAdapter(folder.resolve("adapter" + i));
    }
  }

  @Test
  void refusesAModelThatWasChangedSince() throws IOException {
    Path merged = merge(base, adapters[0], folder.resolve("m/model.onnx"));
    byte[] whole = Files.readAllBytes(merged);
    long refused = 0;
    for (int at = 0; at < whole.length; at += 211) {
      byte[] changed = whole.clone();
      changed[at] ^= 1;
      Files.write(merged, changed);
      try {
        // A byte that only says something of the merge goes with it.
        Path back = unmerge(merged, folder.resolve("back/model.onnx"));
        assertThat(back).as("byte %d", at).hasSameBinaryContentAs(base);
        Files.delete(back);
        Files.delete(folder.resolve("back"));
      } catch (GraftException refusal) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(whole.length / 211 - 10);
    try (RandomAccessFile file = new RandomAccessFile(merged.toFile(), "rw")) {
      file.write(whole);
      file.setLength(whole.length + 2);
      file.seek(whole.length);
      // An unknown field of the model: valid, but not what was merged.
      file.write(new byte[] {(byte) 0xf8, 0x7f});
    }
    assertThatThrownBy(() -> unmerge(merged, folder.resolve("back/model.onnx")))
        .isInstanceOf(FormatException.class);
    assertThat(folder.resolve("back")).doesNotExist();
  }

  @Test
  void refusesToWriteOverItsInputs() {
    Path merged = merge(base, adapters[0], folder.resolve("m/model.onnx"));
    for (Path output : new Path[] {merged, UndoRecord.pathFor(merged)}) {
      assertThatThrownBy(() -> unmerge(merged, output)).isInstanceOf(UsageException.class);
    }
    assertThat(unmerge(merged, folder.resolve("back/model.onnx"))).hasSameBinaryContentAs(base);
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"FLOAT32", "FLOAT16", "BFLOAT16"})
  void takesStackedMergesBackLastFirst(DType type) throws IOException {
    make(type);
    Path one = merge(base, adapters[0], folder.resolve("1/model.onnx"));
    Path two = merge(one, adapters[1], folder.resolve("2/model.onnx"));
    Path three = merge(two, adapters[2], folder.resolve("3/model.onnx"));
    Path back = unmerge(three, folder.resolve("b2/model.onnx"));
    assertSameMerge(back, two);
    back = unmerge(back, folder.resolve("b1/model.onnx"));
    assertSameMerge(back, one);
    back = unmerge(back, folder.resolve("b0/model.onnx"));
    assertThat(back).hasSameBinaryContentAs(base);
    assertThat(UndoRecord.pathFor(back)).doesNotExist();
  }

  @Test
  void thirtySwitchesEndWhereAFreshMergeDoes() throws IOException {
    Random random = new Random(3);
    Path now = merge(base, adapters[0], folder.resolve("s0/model.onnx"));
    int adapter = 0;
    double weight = 1;
    for (int i = 1; i <= 30; i++) {
      adapter = random.nextInt(adapters.length);
      weight = random.nextInt(1, 9) / 4.0 * (random.nextBoolean() ? 1 : -1);
      Path next = folder.resolve("s" + i).resolve("model.onnx");
      try (RestoredBase restored = RestoredBase.open(now, Optional.empty())) {
        write(MergePlan.of(request(now, adapters[adapter], weight, next), restored), 1 + i % 3);
      }
      now = next;
    }
    Path fresh = folder.resolve("fresh/model.onnx");
    write(MergePlan.of(request(base, adapters[adapter], weight, fresh)), 1);
    assertSameMerge(now, fresh);
  }

  @Test
  void theNumberOfThreadsDoesNotChangeTheRecord() {
    Path one = folder.resolve("one/model.onnx");
    Path four = folder.resolve("four/model.onnx");
    write(MergePlan.of(request(base, adapters[0], 1, one)), 1);
    write(MergePlan.of(request(base, adapters[0], 1, four)), 4);
    assertSameMerge(four, one);
  }

  @Test
  void aMergeOverAnOlderOneReplacesItsRecord() throws IOException {
    Path out = merge(base, adapters[0], folder.resolve("m/model.onnx"));
    merge(base, adapters[1], out);
    assertThat(UndoRecord.freshPathFor(out)).doesNotExist();
    assertThat(unmerge(out, folder.resolve("back/model.onnx"))).hasSameBinaryContentAs(base);
  }

  @Test
  void aMergeWithoutARecordTakesTheOlderOneAwayButNothingElse() throws IOException {
    Path merged = merge(base, adapters[0], folder.resolve("m/model.onnx"));
    Path record = UndoRecord.pathFor(merged);
    assertThat(record).exists();
    MergeRequest again = MergeRequest.of(base, adapters[1], merged);
    new Merge(MergePlan.of(again), "graft test", Progress.NONE).run(1);
    assertThat(record).doesNotExist();
    Files.writeString(record, "notes of somebody's");
    new Merge(MergePlan.of(again), "graft test", Progress.NONE).run(1);
    assertThat(record).hasContent("notes of somebody's");
  }

  @Test
  void aCrashBetweenModelAndRecordLosesNeither() throws IOException {
    Path old = merge(base, adapters[0], folder.resolve("old/model.onnx"));
    Path fresh = merge(base, adapters[1], folder.resolve("fresh/model.onnx"));
    for (Path inPlace : new Path[] {old, fresh}) {
      Path model = crashed(inPlace, old, fresh);
      Path back =
          folder.resolve(inPlace.equals(old) ? "back-old" : "back-fresh").resolve("model.onnx");
      assertThat(unmerge(model, back)).hasSameBinaryContentAs(base);
      UndoRecord.settle(model);
      assertThat(UndoRecord.freshPathFor(model)).doesNotExist();
      assertThat(UndoRecord.pathFor(model)).hasSameBinaryContentAs(UndoRecord.pathFor(inPlace));
      merge(base, adapters[2], crashed(inPlace, old, fresh));
      assertSameMerge(model, merge(base, adapters[2], folder.resolve("third/model.onnx")));
      assertThat(UndoRecord.freshPathFor(model)).doesNotExist();
    }
  }

  @Test
  void aFreshRecordThatIsNoneIsPassedOver() throws IOException {
    Path out = merge(base, adapters[0], folder.resolve("m/model.onnx"));
    Files.writeString(UndoRecord.freshPathFor(out), "not a record");
    assertThat(unmerge(out, folder.resolve("back/model.onnx"))).hasSameBinaryContentAs(base);
  }

  /** The state between the rename of the model and that of its record, or before both. */
  private Path crashed(Path inPlace, Path old, Path fresh) throws IOException {
    Path model = Files.createDirectories(folder.resolve("crashed")).resolve("model.onnx");
    copy(inPlace, model);
    copy(UndoRecord.pathFor(old), UndoRecord.pathFor(model));
    copy(UndoRecord.pathFor(fresh), UndoRecord.freshPathFor(model));
    return model;
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
  }

  private static MergeRequest request(Path model, Path adapter, double weight, Path output) {
    return new MergeRequest(model, adapter, weight, output, Binder.Options.DERIVED, Repeat.REFUSED);
  }

  private static Path merge(Path model, Path adapter, Path output) {
    write(MergePlan.of(request(model, adapter, 1, output)), 2);
    return output;
  }

  private static void write(MergePlan plan, int threads) {
    new Merge(plan, "graft test", Progress.NONE, UndoPolicy.KEPT).run(threads);
  }

  private static Path unmerge(Path merged, Path output) {
    try (RestoredBase restored = RestoredBase.open(merged, Optional.empty())) {
      new Unmerge(restored, output, Existing.REFUSED, Progress.NONE).run(2);
    }
    return output;
  }

  private static void assertSameMerge(Path found, Path expected) {
    assertThat(found).hasSameBinaryContentAs(expected);
    assertThat(UndoRecord.pathFor(found)).hasSameBinaryContentAs(UndoRecord.pathFor(expected));
  }
}

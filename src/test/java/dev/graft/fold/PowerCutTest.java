package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.error.GraftException;
import dev.graft.fold.InPlaceUpdate.Mapped;
import dev.graft.fold.MergeRequest.Repeat;
import dev.graft.fold.Unmerge.Existing;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.onnx.OnnxModel;
import dev.graft.tensor.DType;
import dev.graft.testing.disk.DiskTrace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Cuts the power after every operation of merge, switch and unmerge, in place and over another
 * model, and again while the next verb finishes what was left undone: model, data file and undo
 * record together are the old or the new ones.
 */
class PowerCutTest {

  private static final String MODEL = "model.onnx";
  private static final int CUTS_PER_OPERATION = 4;
  private static final long SEED = 5;

  @TempDir Path folder;
  private Path base = Path.of("");
  private Path[] adapters = {};
  private int folders;

  enum Weights {
    EMBEDDED,
    EXTERNAL
  }

  enum Verb {
    MERGE,
    SWITCH,
    UNMERGE
  }

  enum Place {
    IN_PLACE,
    OVER_ANOTHER
  }

  /** What is done to which model. */
  record Act(Weights weights, Verb verb, Place place) {}

  static Stream<Act> acts() {
    return Arrays.stream(Weights.values())
        .flatMap(weights ->
            Arrays.stream(Verb.values())
                .flatMap(verb ->
                    Arrays.stream(Place.values()).map(place -> new Act(weights, verb, place))));
  }

  /**
   * A model with what belongs to it.
   *
   * @param files model, data file and, if it is merged, undo record by name
   */
  private record Version(Map<String, byte[]> files) {

    static Version in(Path folder) throws IOException {
      Path model = folder.resolve(MODEL);
      Map<String, byte[]> files = new HashMap<>();
      for (String name : OnnxModel.open(model).dataFiles().keySet()) {
        files.put(name, Files.readAllBytes(folder.resolve(name)));
      }
      files.put(MODEL, Files.readAllBytes(model));
      Path record = UndoRecord.pathFor(model);
      if (!Provenance.of(OnnxModel.open(model)).isEmpty()) {
        files.put(String.valueOf(record.getFileName()), Files.readAllBytes(record));
      }
      return new Version(files);
    }

    /** Whether this is what a folder holds; a record may be waiting under its fresh name. */
    boolean isIn(Path folder) throws IOException {
      OnnxModel model = OnnxModel.open(folder.resolve(MODEL));
      String record = MODEL + ".undo";
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        if (!file.getKey().equals(record) && !holds(folder.resolve(file.getKey()), file)) {
          return false;
        }
      }
      if (files.containsKey(record)) {
        try (UndoRecord found = UndoRecord.open(model)) {
          return Arrays.equals(Files.readAllBytes(found.reader().file().path()), files.get(record));
        }
      }
      return true;
    }

    private static boolean holds(Path path, Map.Entry<String, byte[]> file) throws IOException {
      return Files.exists(path) && Arrays.equals(Files.readAllBytes(path), file.getValue());
    }
  }

  private void make(Weights weights) throws IOException {
    LinearModel model = new LinearModel(DType.BFLOAT16, DType.FLOAT32, 1);
    Path place = Files.createDirectory(folder.resolve("base"));
    base = weights == Weights.EMBEDDED ? model.writeModel(place) : model.writeExternalModel(place);
    adapters = new Path[3];
    for (int i = 0; i < adapters.length; i++) {
      adapters[i] =
          new LinearModel(DType.BFLOAT16, DType.FLOAT32, 10 + i)
              .writeAdapter(folder.resolve("adapter" + i));
    }
  }

  @ParameterizedTest
  @MethodSource("acts")
  void afterACutAtAnyMomentTheModelIsTheOldOrTheNewOne(Act act) throws IOException {
    make(act.weights());
    Path from = act.verb() == Verb.MERGE ? base : merged(0, base, "one");
    Path work = fresh();
    copyFiles(act.place() == Place.IN_PLACE ? from : merged(2, base, "another"), work);
    Version old = Version.in(work);
    DiskTrace trace = DiskTrace.of(work);
    Path model = trace.path(work.resolve(MODEL));
    run(act.verb(), act.place() == Place.IN_PLACE ? model : trace.path(from), model);
    Version made = Version.in(work);
    assertThat(old.isIn(work)).isFalse();
    Random random = new Random(SEED);
    int[] found = new int[2];
    for (int after = 0; after <= trace.size(); after++) {
      for (int cut = 0; cut < CUTS_PER_OPERATION; cut++) {
        Path state = fresh();
        trace.cutAfter(after, random).writeTo(state);
        Path again = cutWhileItRecovers(state, random);
        for (Path left : List.of(state, again)) {
          String where = "%s, cut %d after %d operations of%n%s".formatted(act, cut, after, trace);
          boolean isNew = isNew(left, new Version[] {old, made}, where);
          assertThat(isNew || after < trace.size()).as("what was done stays: " + where).isTrue();
          found[isNew ? 1 : 0]++;
          delete(left);
        }
      }
    }
    assertThat(found).as("both are seen").doesNotContain(0);
  }

  /** Does what every verb does first, and tells which of two versions there is. */
  private static boolean isNew(Path folder, Version[] oldAndNew, String where) throws IOException {
    try {
      OnnxModel.open(DiskTrace.of(folder).path(folder.resolve(MODEL)));
      boolean isNew = oldAndNew[1].isIn(folder);
      assertThat(isNew || oldAndNew[0].isIn(folder)).as("old or new: " + where).isTrue();
      return isNew;
    } catch (GraftException e) {
      throw new AssertionError(where, e);
    }
  }

  /** Opens a copy of the model, and cuts the power somewhere meanwhile. */
  private Path cutWhileItRecovers(Path state, Random random) throws IOException {
    Path copy = fresh();
    copyFiles(state.resolve(MODEL), copy);
    DiskTrace recovery = DiskTrace.of(copy);
    OnnxModel.open(recovery.path(copy.resolve(MODEL)));
    Path left = fresh();
    recovery.cutAfter(random.nextInt(recovery.size() + 1), random).writeTo(left);
    delete(copy);
    return left;
  }

  private void run(Verb verb, Path from, Path to) {
    if (!from.equals(to)) {
      runApart(verb, from, to);
      return;
    }
    MergeRequest request = request(from, adapters[1], to).inPlace();
    try (InPlaceUpdate update = InPlaceUpdate.begin(to, Mapped.REFUSED)) {
      if (verb == Verb.MERGE) {
        merge(MergePlan.of(request)).run(update, 1);
        return;
      }
      try (RestoredBase restored = RestoredBase.open(from, Optional.empty())) {
        if (verb == Verb.SWITCH) {
          merge(MergePlan.of(request, restored)).run(update, 1);
        } else {
          new Unmerge(restored, to, Existing.REFUSED, Progress.NONE).run(update, 1);
        }
      }
    }
  }

  private void runApart(Verb verb, Path from, Path to) {
    MergeRequest request = request(from, adapters[1], to);
    if (verb == Verb.MERGE) {
      merge(MergePlan.of(request)).run(1);
      return;
    }
    try (RestoredBase restored = RestoredBase.open(from, Optional.empty())) {
      if (verb == Verb.SWITCH) {
        merge(MergePlan.of(request, restored)).run(1);
      } else {
        new Unmerge(restored, to, Existing.REFUSED, Progress.NONE).run(1);
      }
    }
  }

  private static MergeRequest request(Path model, Path adapter, Path output) {
    return new MergeRequest(model, adapter, 1, output, Binder.Options.DERIVED, Repeat.REFUSED);
  }

  private static Merge merge(MergePlan plan) {
    return new Merge(plan, "graft test", Progress.NONE, UndoPolicy.KEPT);
  }

  private Path merged(int adapter, Path model, String name) throws IOException {
    Path output = Files.createDirectory(folder.resolve(name)).resolve(MODEL);
    merge(MergePlan.of(request(model, adapters[adapter], output))).run(1);
    return output;
  }

  private Path fresh() throws IOException {
    return Files.createDirectory(folder.resolve("state" + folders++));
  }

  private static void copyFiles(Path model, Path into) throws IOException {
    for (Map.Entry<String, byte[]> file : DiskTrace.contents(model.resolveSibling("")).entrySet()) {
      Files.write(into.resolve(file.getKey()), file.getValue());
    }
  }

  private static void delete(Path left) throws IOException {
    for (String name : DiskTrace.contents(left).keySet()) {
      Files.delete(left.resolve(name));
    }
    Files.delete(left);
  }
}

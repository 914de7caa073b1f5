package dev.graft.fold;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.error.GraftException;
import dev.graft.fold.InPlaceUpdate.Mapped;
import dev.graft.fold.MergeRequest.Repeat;
import dev.graft.fold.Unmerge.Existing;
import dev.graft.io.Progress;
import dev.graft.io.Sha256;
import dev.graft.match.Binder;
import dev.graft.onnx.OnnxModel;
import dev.graft.tensor.DType;
import dev.graft.testing.disk.DiskTrace;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
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
  private static final int CUTS_PER_OPERATION = 32;
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

  /** When the power was cut. */
  private enum Moment {
    MEANWHILE,
    DONE
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
    Path start = act.place() == Place.IN_PLACE ? from : merged(2, base, "another");
    Path work = written(DiskTrace.contents(start.resolveSibling("")));
    Version old = Version.in(work);
    DiskTrace trace = DiskTrace.of(work);
    Path model = trace.path(work.resolve(MODEL));
    run(act.verb(), act.place() == Place.IN_PLACE ? model : trace.path(from), model);
    Version made = Version.in(work);
    assertThat(old.isIn(work)).isFalse();
    Seen seen = new Seen(old, made, new HashSet<>(), new HashSet<>());
    Random random = new Random(SEED);
    for (int after = 0; after <= trace.size(); after++) {
      for (int cut = 0; cut < CUTS_PER_OPERATION; cut++) {
        Map<String, byte[]> state = trace.cutAfter(after, random).decide();
        String where = "%s, cut %d after %d operations of%n%s".formatted(act, cut, after, trace);
        Moment moment = after == trace.size() ? Moment.DONE : Moment.MEANWHILE;
        if (isFirst(seen, state, where, moment) && state.containsKey(MODEL + ".journal")) {
          cutWhileItRecovers(seen, state, where);
        }
      }
    }
    assertThat(seen.found()).as("old and new are both seen").hasSize(2);
  }

  /**
   * The states that were looked at.
   *
   * @param old what they may hold
   * @param made what they may hold instead
   * @param hashes their hashes
   * @param found which were found
   */
  private record Seen(Version old, Version made, Set<String> hashes, Set<Version> found) {}

  /** Looks at a state that was not seen before. */
  private boolean isFirst(Seen seen, Map<String, byte[]> state, String where, Moment moment)
      throws IOException {
    if (!seen.hashes().add(hash(state)) && moment != Moment.DONE) {
      return false;
    }
    boolean isNew = isNew(written(state), seen, where);
    assertThat(isNew || moment != Moment.DONE).as("what was done stays: " + where).isTrue();
    seen.found().add(isNew ? seen.made() : seen.old());
    return true;
  }

  /** Does what every verb does first, and tells which of two versions there is. */
  private static boolean isNew(Path folder, Seen seen, String where) throws IOException {
    try {
      OnnxModel.open(DiskTrace.of(folder).path(folder.resolve(MODEL)));
      boolean isNew = seen.made().isIn(folder);
      assertThat(isNew || seen.old().isIn(folder)).as("old or new: " + where).isTrue();
      return isNew;
    } catch (GraftException e) {
      throw new AssertionError(where, e);
    }
  }

  /** Opens the model, and cuts the power at every moment meanwhile. */
  private void cutWhileItRecovers(Seen seen, Map<String, byte[]> state, String where)
      throws IOException {
    Path copy = written(state);
    DiskTrace recovery = DiskTrace.of(copy);
    OnnxModel.open(recovery.path(copy.resolve(MODEL)));
    Random random = new Random(SEED);
    for (int after = 0; after <= recovery.size(); after++) {
      for (int cut = 0; cut < CUTS_PER_OPERATION / 4; cut++) {
        Map<String, byte[]> left = recovery.cutAfter(after, random).decide();
        isFirst(
            seen,
            left,
            where + "\nand after %d of\n%s".formatted(after, recovery),
            Moment.MEANWHILE);
      }
    }
  }

  /** Tells states apart; no verb reads what has a temporary name. */
  private static String hash(Map<String, byte[]> files) {
    Sha256 hash = new Sha256();
    files.forEach((name, bytes) -> {
      if (!name.startsWith(".")) {
        hash.update(MemorySegment.ofArray((name + "/" + bytes.length + "/").getBytes(UTF_8)));
        hash.update(MemorySegment.ofArray(bytes));
      }
    });
    return hash.hex();
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

  private Path written(Map<String, byte[]> files) throws IOException {
    Path into = Files.createDirectory(folder.resolve("state" + folders++));
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      Files.write(into.resolve(file.getKey()), file.getValue());
    }
    return into;
  }
}

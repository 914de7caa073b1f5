import dev.graft.fold.Merge;
import dev.graft.fold.MergePlan;
import dev.graft.fold.MergeRequest;
import dev.graft.fold.MergeRequest.Repeat;
import dev.graft.fold.RestoredBase;
import dev.graft.fold.UndoPolicy;
import dev.graft.fold.Unmerge;
import dev.graft.fold.Unmerge.Existing;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/** What tools/check/switches runs: one Java machine for all switches. */
final class Switches {

  private static final String MODEL = "model.onnx";
  private static final int THREADS = 2;

  private final Path base;
  private final List<Path> adapters;
  private final Path folder;

  private Switches(Path base, List<Path> adapters, Path folder) {
    this.base = base;
    this.adapters = adapters;
    this.folder = folder;
  }

  public static void main(String[] args) throws IOException {
    int count = Integer.parseInt(args[0]);
    long seed = Long.parseLong(args[1]);
    Path scratch = Path.of(args[2]);
    List<Path> adapters = Stream.of(args).skip(4).map(Path::of).toList();
    boolean same = new Switches(Path.of(args[3]), adapters, scratch).run(count, seed);
    System.exit(same ? 0 : 1);
  }

  private boolean run(int count, long seed) throws IOException {
    Random random = new Random(seed);
    int now = random.nextInt(adapters.size());
    fresh(now, folder.resolve("0"));
    int at = 0;
    long began = System.nanoTime();
    for (int done = 1; done <= count; done++) {
      now = (now + 1 + random.nextInt(adapters.size() - 1)) % adapters.size();
      switched(folder.resolve("" + at), now, folder.resolve("" + (1 - at)));
      delete(folder.resolve("" + at));
      at = 1 - at;
      if (done % 100 == 0) {
        System.out.printf("%,d switches, %.2f s each%n", done, (System.nanoTime() - began) / 1e9 / done);
      }
    }
    fresh(now, folder.resolve("fresh"));
    boolean merged = isSame(folder.resolve("" + at), folder.resolve("fresh"));
    System.out.printf(
        "after %,d switches (seed %d) the model with '%s' and its undo record have %s a fresh merge%n",
        count, seed, adapters.get(now).getFileName(), merged ? "the bytes of" : "OTHER BYTES THAN");
    boolean back = comesBack(folder.resolve("" + at));
    System.out.printf("unmerged it has %s the base%n", back ? "the bytes of" : "OTHER BYTES THAN");
    return merged && back;
  }

  private void fresh(int adapter, Path to) {
    write(MergePlan.of(request(base, adapter, to)));
  }

  private void switched(Path from, int adapter, Path to) {
    try (RestoredBase restored = RestoredBase.open(from.resolve(MODEL), Optional.empty())) {
      write(MergePlan.of(request(from.resolve(MODEL), adapter, to), restored));
    }
  }

  private MergeRequest request(Path model, int adapter, Path to) {
    return new MergeRequest(
        model, adapters.get(adapter), 1, to.resolve(MODEL), Binder.Options.DERIVED, Repeat.REFUSED);
  }

  private static void write(MergePlan plan) {
    new Merge(plan, "check", Progress.NONE, UndoPolicy.KEPT).run(THREADS);
  }

  private boolean comesBack(Path merged) throws IOException {
    Path output = folder.resolve("back").resolve(base.getFileName());
    try (RestoredBase restored = RestoredBase.open(merged.resolve(MODEL), Optional.empty())) {
      new Unmerge(restored, output, Existing.REFUSED, Progress.NONE).run(THREADS);
    }
    boolean same = Files.mismatch(output, base) < 0;
    for (Path data : files(output.getParent())) {
      Path original = base.resolveSibling(data.getFileName());
      same &= data.equals(output) || !Files.exists(original) || Files.mismatch(data, original) < 0;
    }
    return same;
  }

  private static boolean isSame(Path one, Path other) throws IOException {
    List<Path> files = files(one);
    boolean same =
        files.stream().map(Path::getFileName).toList()
            .equals(files(other).stream().map(Path::getFileName).toList());
    for (Path file : same ? files : List.<Path>of()) {
      same &= Files.mismatch(file, other.resolve(file.getFileName())) < 0;
    }
    return same;
  }

  private static void delete(Path folder) throws IOException {
    for (Path file : files(folder)) {
      Files.delete(file);
    }
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return new ArrayList<>(files.sorted().toList());
    }
  }
}

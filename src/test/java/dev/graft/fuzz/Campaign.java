package dev.graft.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Tries a target with many inputs, on all processors. */
final class Campaign {

  private static final long STUCK_NANOS = 20_000_000_000L;
  private static final Path REPORT = Path.of("target", "fuzz", "figures.txt");

  private final Target target;
  private final long seed;
  private final List<Worker> workers = new ArrayList<>();
  private final List<FutureTask<Figures>> tasks = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();

  private Campaign(Target target, long seed) {
    this.target = target;
    this.seed = seed;
  }

  /**
   * Runs so many inputs, each seed first.
   *
   * @param seed decides what the inputs are, together with the number of processors
   * @param folder for files; best in memory
   * @throws AssertionError naming the input that does what none may do
   */
  static Figures run(Target target, long inputs, long seed, Path folder)
      throws IOException, InterruptedException {
    return new Campaign(target, seed).run(inputs, folder);
  }

  private Figures run(long inputs, Path folder) throws IOException, InterruptedException {
    long start = System.nanoTime();
    List<byte[]> seeds = Corpus.of(target.name());
    int count = Math.max(1, Runtime.getRuntime().availableProcessors());
    for (int i = 0; i < count; i++) {
      Path own = Files.createDirectories(folder.resolve(target.name() + i));
      Worker.Share share = new Worker.Share((inputs + count - 1) / count, seed + i, own);
      workers.add(new Worker(target, seeds, share));
    }
    for (Worker worker : workers) {
      FutureTask<Figures> task = new FutureTask<>(worker);
      tasks.add(task);
      threads.add(Thread.ofPlatform().daemon().name("fuzz-" + target.name()).start(task));
    }
    Figures figures = new Figures();
    try {
      for (FutureTask<Figures> task : tasks) {
        figures.add(result(task));
      }
    } finally {
      threads.forEach(Thread::interrupt);
    }
    report(figures, (System.nanoTime() - start) / 1e9);
    return figures;
  }

  private Figures result(FutureTask<Figures> task) throws IOException, InterruptedException {
    while (true) {
      try {
        return task.get(200, TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        failIfStuck();
      } catch (ExecutionException e) {
        throw e.getCause() instanceof AssertionError known
            ? known
            : new AssertionError(target.name() + ", seed " + seed, e.getCause());
      }
    }
  }

  private void failIfStuck() {
    for (int i = 0; i < workers.size(); i++) {
      byte[] input = workers.get(i).stuckFor(STUCK_NANOS);
      if (input != null) {
        Throwable where = new Throwable("the reader stands here");
        where.setStackTrace(threads.get(i).getStackTrace());
        throw new Finding(target.name(), seed + i, input).save("does not end", where);
      }
    }
  }

  private void report(Figures figures, double seconds) throws IOException {
    Files.createDirectories(REPORT.getParent());
    Files.writeString(
        REPORT,
        "%s: %s, %.0f s, seed %d%n".formatted(target.name(), figures, seconds, seed),
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }
}

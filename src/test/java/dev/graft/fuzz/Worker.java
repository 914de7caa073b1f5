package dev.graft.fuzz;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** One thread's share of a campaign. */
final class Worker implements Callable<Figures> {

  private static final int LOOK_OUTSIDE_EACH = 4096;

  /** Compiling may cost a thread time once; an input that takes long does so again. */
  private static final int RETRIES = 2;

  private final Target target;
  private final Share share;
  private final Pool pool;
  private final SplittableRandom random;
  private final Outside outside;
  private final Figures figures = new Figures();

  private volatile byte @Nullable [] current;
  private volatile long since;

  /**
   * What a worker has to do.
   *
   * @param inputs how many inputs
   * @param seed decides which
   * @param folder for its files
   */
  record Share(long inputs, long seed, Path folder) {}

  Worker(Target target, List<byte[]> seeds, Share share) throws IOException {
    this.target = target;
    this.share = share;
    this.pool = new Pool(seeds);
    this.random = new SplittableRandom(share.seed());
    this.outside = Outside.in(share.folder());
  }

  /** The input that is being read, if any has been for so long. */
  byte @Nullable [] stuckFor(long nanos) {
    byte[] input = current;
    return input != null && System.nanoTime() - since > nanos ? input : null;
  }

  @Override
  public Figures call() throws IOException {
    try (Reader reader = target.opening().open(outside.inside())) {
      for (byte[] seed : pool.seeds()) {
        attempt(reader, seed);
      }
      for (long i = 0; i < share.inputs() && !Thread.currentThread().isInterrupted(); i++) {
        byte[] input = target.mutator().mutate(pool.any(random), pool.any(random), random);
        if (input.length <= Mutator.MAX_BYTES) {
          attempt(reader, input);
        }
        if (i % LOOK_OUTSIDE_EACH == 0) {
          outside.check();
        }
      }
      outside.check();
    }
    figures.endings = pool.endings();
    return figures;
  }

  private void attempt(Reader reader, byte[] input) throws IOException {
    Trial trial = measured(reader, input);
    for (int i = 0; i < RETRIES && trial.isSlow(); i++) {
      trial = measured(reader, input);
    }
    if (!trial.isOrderly()) {
      throw finding(input, "came out as " + trial.thrown(), trial.thrown());
    }
    if (trial.isSlow()) {
      throw finding(input, "took %,d ms".formatted(trial.nanos() / 1_000_000), trial.thrown());
    }
    if (trial.isLarge()) {
      throw finding(input, "allocated %,d bytes".formatted(trial.allocated()), trial.thrown());
    }
    figures.add(trial);
    pool.offer(input, trial.ending());
  }

  private Trial measured(Reader reader, byte[] input) throws IOException {
    reader.lay(input);
    since = System.nanoTime();
    current = input;
    Trial trial = Trial.of(reader::read);
    current = null;
    return trial;
  }

  private AssertionError finding(byte[] input, String what, @Nullable Throwable thrown) {
    return new Finding(target.name(), share.seed(), input).save(what, thrown);
  }
}

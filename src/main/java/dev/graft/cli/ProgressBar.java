package dev.graft.cli;

import dev.graft.io.Progress;
import java.io.PrintWriter;
import java.io.Writer;
import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;

/**
 * A line on standard error that tells how far a job is, redrawn a few times a second. It appears
 * after a second, only on a terminal, and is gone when the job is done.
 */
final class ProgressBar implements Progress, AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(1);
  private static final long REDRAW_MILLIS = 200;
  private static final double NANOS = 1e9;

  private final Screen screen;
  private final Job job;
  private final Duration patience;
  private final LongAdder done = new LongAdder();
  private final long started = System.nanoTime();
  private final Thread painter;
  private int width;

  /**
   * What is being done.
   *
   * @param what a word for it
   * @param bytes how much there is to do
   */
  record Job(String what, long bytes) {}

  private ProgressBar(Screen screen, Job job, Duration patience) {
    this.screen = screen;
    this.job = job;
    this.patience = patience;
    this.painter = Thread.ofPlatform().daemon().name("progress").unstarted(this::paint);
  }

  static ProgressBar start(Screen screen, Job job) {
    return start(screen, job, PATIENCE);
  }

  /** Starts a bar that appears after so long. */
  static ProgressBar start(Screen screen, Job job, Duration patience) {
    ProgressBar bar = new ProgressBar(screen, job, patience);
    bar.painter.start();
    return bar;
  }

  /** A bar that never shows itself. */
  static ProgressBar hidden() {
    return new ProgressBar(new Screen(nowhere(), nowhere(), () -> false), new Job("", 0), PATIENCE);
  }

  private static PrintWriter nowhere() {
    return new PrintWriter(Writer.nullWriter());
  }

  @Override
  public void advance(long bytes) {
    done.add(bytes);
  }

  private void paint() {
    try {
      Thread.sleep(patience);
      while (screen.errIsTerminal().getAsBoolean()) {
        draw(line(job, done.sum(), (System.nanoTime() - started) / NANOS));
        Thread.sleep(REDRAW_MILLIS);
      }
    } catch (InterruptedException e) {
      // The job is done.
    }
  }

  /** The text for a job that has come so far. */
  static String line(Job job, long done, double seconds) {
    long bytes = Math.clamp(done, 0, Math.max(job.bytes(), 1));
    double share = job.bytes() == 0 ? 1 : (double) bytes / job.bytes();
    String state =
        "%s  %d %%  %s of %s  %s/s"
            .formatted(
                job.what(),
                (int) (share * 100),
                Figures.bytes(bytes),
                Figures.bytes(job.bytes()),
                Figures.bytes((long) (bytes / seconds)));
    if (share >= 1) {
      return state + "  bringing it to the disk";
    }
    return bytes == 0 ? state : state + "  " + Figures.seconds(seconds / share - seconds) + " left";
  }

  private void draw(String text) {
    screen.err().print("\r" + text + " ".repeat(Math.max(0, width - text.length())));
    screen.err().flush();
    width = text.length();
  }

  @Override
  public void close() {
    painter.interrupt();
    try {
      painter.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return;
    }
    if (width > 0) {
      draw("");
      screen.err().print("\r");
      screen.err().flush();
    }
  }
}

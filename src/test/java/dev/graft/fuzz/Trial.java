package dev.graft.fuzz;

import com.sun.management.ThreadMXBean;
import dev.graft.error.GraftException;
import java.lang.management.ManagementFactory;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What one input did.
 *
 * @param nanos how long the thread computed
 * @param allocated bytes of heap that it asked for in all, whether or not they were kept
 * @param kind a number that tells one kind of success from another
 * @param thrown what came out, null for a success
 */
record Trial(long nanos, long allocated, int kind, @Nullable Throwable thrown) {

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final int FRAMES = 10;
  private static final long MOST_NANOS = 1_000_000_000L;
  private static final long MOST_BYTES = 64L << 20;

  /** Lets somebody read, who tells one kind of success from another by a number. */
  static Trial of(IntSupplier reading) {
    long allocated = THREADS.getCurrentThreadAllocatedBytes();
    // The processor's time, not the clock's: a machine that does other things too hangs nothing.
    long start = THREADS.getCurrentThreadCpuTime();
    int kind = 0;
    Throwable thrown = null;
    try {
      kind = reading.getAsInt();
    } catch (Throwable t) {
      thrown = t;
    }
    return new Trial(
        THREADS.getCurrentThreadCpuTime() - start,
        THREADS.getCurrentThreadAllocatedBytes() - allocated,
        kind,
        thrown);
  }

  /** Whether the input was read or refused in the way that was meant. */
  boolean isOrderly() {
    return thrown == null || thrown instanceof GraftException;
  }

  /** In short, for messages. */
  String words() {
    String out = String.valueOf(thrown);
    return "%,d ms, %,d bytes, %s"
        .formatted(nanos / 1_000_000, allocated, out.substring(0, Math.min(200, out.length())));
  }

  /** Whether it took over a second. */
  boolean isSlow() {
    return nanos > MOST_NANOS;
  }

  /** Whether it asked for over 64 MB. */
  boolean isLarge() {
    return allocated > MOST_BYTES;
  }

  /** A number that is the same for inputs that ended at the same place of the code. */
  int ending() {
    if (thrown == null) {
      return kind;
    }
    int hash = thrown.getClass().hashCode();
    StackTraceElement[] trace = thrown.getStackTrace();
    for (int i = 0; i < Math.min(FRAMES, trace.length); i++) {
      hash = 31 * hash + trace[i].getClassName().hashCode() + trace[i].getLineNumber();
    }
    return hash;
  }
}

package dev.graft.onnx;

import dev.graft.error.UnsupportedException;
import java.nio.file.Path;

/**
 * How much of a file may become Java objects. Weights never do, so only an enormous graph or a file
 * made to fill the memory comes near the limit.
 */
final class ScanBudget {

  /** Rough costs of the parsed form: a little more than what real models take. */
  private static final long HEAP_PER_BYTE = 8;

  private static final long HEAP_PER_FIELD = 128;

  /** What a byte can cost at worst: two bytes make a small message, one makes a packed number. */
  private static final long HEAP_PER_DENSE_BYTE = 24;

  /** Of this and of the heap the smaller one counts; arrays end at 2 GB. */
  private static final long MOST = 8L << 30;

  private final Path file;
  private final long heap;
  private long left;

  /**
   * Begins with a full budget.
   *
   * @param file named by messages
   * @param heap bytes of memory that there are
   */
  ScanBudget(Path file, long heap) {
    this.file = file;
    this.heap = heap;
    this.left = Math.min(heap, MOST);
  }

  /** Counts bytes that go into the skeleton. */
  void spendBytes(long bytes) {
    spend(bytes > left ? Long.MAX_VALUE : bytes * HEAP_PER_BYTE);
  }

  /** Counts a field that was met. */
  void spendField() {
    spend(HEAP_PER_FIELD);
  }

  /** Counts a message that was entered, with all that is made of it later. */
  void spendMessage(MessageKind kind) {
    spend(kind.heapBytes());
  }

  /** Counts, besides the bytes as such, what packed numbers and messages not entered become. */
  void spendDense(long bytes) {
    spend(bytes > left ? Long.MAX_VALUE : bytes * HEAP_PER_DENSE_BYTE);
  }

  private void spend(long cost) {
    if (cost > left) {
      throw new UnsupportedException(
          "%s: holds too much beside its tensors (nodes, names, metadata) for a Java heap of %,d MB. If the file is what you think it is, give Java more: GRAFT_JAVA_OPTS=-Xmx8g"
              .formatted(file, heap >> 20));
    }
    left -= cost;
  }
}

package dev.graft.fold;

import dev.graft.fold.FoldedTensor.Hashes;
import dev.graft.io.Sha256;
import dev.graft.tensor.DType;
import dev.graft.tensor.FloatCodec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * Changes the rows of one tensor block by block and hashes the bytes before and after. It takes a
 * few rows at a time through everything, so that between the steps they stay in the first-level
 * cache.
 */
final class BlockFolder {

  private static final int PORTION_BYTES = 1 << 13;

  private final RowChange change;
  private final FloatCodec codec;
  private final FiniteCheck finite;
  private final float[] values;
  private final int rowBytes;
  private final byte[] portion;
  private final MemorySegment portionView;
  private final Sha256 before = new Sha256();
  private final Sha256 after = new Sha256();

  /**
   * Begins with a tensor.
   *
   * @param tensor which one
   * @param change what happens to its rows
   * @param rowLength how many values a row has; the last row of a flat tensor may be shorter
   */
  BlockFolder(FoldedTensor tensor, RowChange change, int rowLength) {
    DType type = tensor.dtype();
    this.change = change;
    this.codec = new FloatCodec(type, rowLength);
    this.finite = new FiniteCheck(tensor, rowLength);
    this.values = new float[rowLength];
    this.rowBytes = (int) type.bytes(rowLength);
    this.portion = new byte[Math.max(1, PORTION_BYTES / rowBytes) * rowBytes];
    this.portionView = MemorySegment.ofArray(portion);
  }

  long rowBytes() {
    return rowBytes;
  }

  /**
   * Changes a block in place; blocks come in order.
   *
   * @param block whole rows
   * @param firstRow which row the first one is
   * @throws dev.graft.error.FormatException if a new value is not finite
   */
  void change(MemorySegment block, long firstRow) {
    for (long at = 0; at < block.byteSize(); at += portion.length) {
      int length = (int) Math.min(portion.length, block.byteSize() - at);
      MemorySegment.copy(block, ValueLayout.JAVA_BYTE, at, portion, 0, length);
      before.update(portion, 0, length);
      changeRows(length, firstRow + at / rowBytes);
      after.update(portion, 0, length);
      MemorySegment.copy(portion, 0, block, ValueLayout.JAVA_BYTE, at, length);
    }
    if (!finite.holds()) {
      refuse(block, firstRow);
    }
  }

  private void changeRows(int length, long firstRow) {
    long row = firstRow;
    for (int at = 0; at < length; at += rowBytes) {
      int count = count(length - at);
      codec.decode(portionView, at, values, count);
      change.before(portionView, at, count);
      change.change(row++, values, count);
      finite.see(values, count);
      codec.encode(values, count, portionView, at);
      change.after(portionView, at, count);
    }
  }

  private void refuse(MemorySegment block, long firstRow) {
    long row = firstRow;
    for (long at = 0; at < block.byteSize(); at += rowBytes) {
      int count = count(block.byteSize() - at);
      codec.decode(block, at, values, count);
      finite.refuse(values, count, row++ * values.length);
    }
  }

  private int count(long bytesLeft) {
    return (int) (Math.min(rowBytes, bytesLeft) * values.length / rowBytes);
  }

  /** SHA-256 of all blocks as they were and as they are. */
  Hashes hashes() {
    return new Hashes(Optional.of(before.hex()), after.hex());
  }
}

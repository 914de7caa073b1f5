package dev.graft.fold;

import dev.graft.io.InputFile;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.FloatCodec;
import java.lang.foreign.MemorySegment;

/**
 * A factor as the adapter stores it; a convolution's {@code [r, in, k..]} counts as {@code [r, in ·
 * k..]}.
 */
final class TensorFactor implements Factor {

  private static final int MOST_AT_ONCE = 1 << 16;

  private final SafetensorsTensor tensor;
  private final InputFile file;
  private final int rows;
  private final int columns;
  private final FloatCodec codec;
  private final int elementBytes;
  private final MemorySegment bytes;
  private final float[] piece;

  /**
   * Prepares to read.
   *
   * @param tensor the factor
   * @param adapter keeps the adapter's file open
   */
  TensorFactor(SafetensorsTensor tensor, AdapterValues adapter) {
    this.tensor = tensor;
    this.rows = Math.toIntExact(tensor.shape().dim(0));
    this.columns = Math.toIntExact(tensor.shape().elements() / rows);
    this.piece = new float[(int) Math.min(MOST_AT_ONCE, tensor.shape().elements())];
    this.codec = new FloatCodec(tensor.dtype(), piece.length);
    this.elementBytes = tensor.dtype().bits() / 8;
    this.bytes = MemorySegment.ofArray(new byte[piece.length * elementBytes]);
    this.file = adapter.file(tensor);
  }

  @Override
  public int rows() {
    return rows;
  }

  @Override
  public int columns() {
    return columns;
  }

  @Override
  public void read(Window window, float[] into) {
    if (window.columns() == columns) {
      read((long) window.row() * columns, into, 0, window.elements());
      return;
    }
    for (int i = 0; i < window.rows(); i++) {
      long from = (long) (window.row() + i) * columns + window.column();
      read(from, into, i * window.columns(), window.columns());
    }
  }

  private void read(long element, float[] into, int at, int count) {
    for (int done = 0; done < count; done += piece.length) {
      int step = Math.min(piece.length, count - done);
      long first = element + done;
      MemorySegment part = bytes.asSlice(0, (long) step * elementBytes);
      SafetensorsData.read(tensor, file, first * elementBytes, part);
      codec.decode(part, 0, piece, step);
      AdapterValues.requireFinite(tensor, piece, step, first);
      System.arraycopy(piece, 0, into, at + done, step);
    }
  }
}

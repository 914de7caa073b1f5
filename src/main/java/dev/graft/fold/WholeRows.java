package dev.graft.fold;

import dev.graft.io.InputFile;
import dev.graft.match.Turn;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.FloatCodec;
import java.lang.foreign.MemorySegment;

/**
 * Rows of a tensor that replaces another, read from the adapter a window at a time so that a head
 * of any size fits in little memory.
 */
final class WholeRows implements RowSource {

  private static final int WINDOW_ELEMENTS = 1 << 20;

  private final SafetensorsTensor value;
  private final Turn turn;
  private final long firstOutput;
  private final int rowLength;
  private final FloatCodec codec;
  private final InputFile file;
  private final int elementBytes;
  private float[] window = new float[0];
  private long windowRow;
  private long windowRows;

  WholeRows(Change.Whole change, int rowLength) {
    this.value = change.value();
    this.turn = change.turn();
    this.firstOutput = change.outputs().from();
    this.rowLength = rowLength;
    this.elementBytes = value.dtype().bits() / 8;
    this.codec = new FloatCodec(value.dtype(), Math.max(rowLength, WINDOW_ELEMENTS / rowLength));
    this.file = SafetensorsData.open(value);
  }

  @Override
  public void apply(long row, float[] values, int count) {
    if (turn == Turn.AS_IS) {
      float[] read = read(firstOutput * inputs() + row * rowLength, count);
      System.arraycopy(read, 0, values, 0, count);
      return;
    }
    if (row < windowRow || row >= windowRow + windowRows) {
      load(row);
    }
    System.arraycopy(window, (int) (row - windowRow) * rowLength, values, 0, count);
  }

  /** The number of values of one output. */
  private long inputs() {
    return value.shape().elements() / value.shape().dim(0);
  }

  /** Gathers some columns of the adapter's tensor, which are rows in the file. */
  private void load(long row) {
    long columns = value.shape().dim(1);
    int rows = (int) Math.min(columns - row, Math.max(1, WINDOW_ELEMENTS / rowLength));
    window = new float[rows * rowLength];
    for (int out = 0; out < rowLength; out++) {
      float[] part = read((firstOutput + out) * columns + row, rows);
      for (int i = 0; i < rows; i++) {
        window[i * rowLength + out] = part[i];
      }
    }
    windowRow = row;
    windowRows = rows;
  }

  @Override
  public void close() {
    file.close();
  }

  private float[] read(long element, int count) {
    byte[] bytes = new byte[count * elementBytes];
    MemorySegment segment = MemorySegment.ofArray(bytes);
    SafetensorsData.read(value, file, element * elementBytes, segment);
    float[] floats = new float[count];
    codec.decode(segment, 0, floats, count);
    return floats;
  }
}

package dev.graft.match;

import dev.graft.io.ByteSource;
import dev.graft.io.OpenFile;
import dev.graft.onnx.DecodedValues;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.FloatCodec;
import dev.graft.tensor.TensorSource;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Compares two matrices by their values, also where one is stored the other way round or in another
 * float type. Little of them lies in memory at a time, and most unequal ones show themselves at a
 * few places that are looked at first.
 */
final class EqualTables {

  /** Values of either matrix that are held at a time, 4 MB. */
  private static final int TILE = 1 << 20;

  /** Rows looked at first, with as many places in each. */
  private static final int SAMPLES = 8;

  private final OnnxModel model;

  EqualTables(OnnxModel model) {
    this.model = model;
  }

  /**
   * Whether two matrices of one shape, or of each other's shape turned, hold the same values.
   *
   * @param a a matrix of float32, float16 or bfloat16
   * @param b another
   * @param turn whether b is compared the other way round
   */
  boolean same(StoredTensor a, StoredTensor b, Turn turn) {
    try (Matrix left = Matrix.open(model, a);
        Matrix right = Matrix.open(model, b)) {
      boolean turned = turn == Turn.TRANSPOSED;
      if (left.rows != (turned ? right.columns : right.rows)
          || left.columns != (turned ? right.rows : right.columns)) {
        return false;
      }
      return agreeAtSamples(left, right, turn) && agree(left, right, turn);
    }
  }

  private static boolean agreeAtSamples(Matrix left, Matrix right, Turn turn) {
    boolean turned = turn == Turn.TRANSPOSED;
    float[] one = new float[1];
    float[] other = new float[1];
    for (int i = 0; i < SAMPLES; i++) {
      long row = (left.rows - 1) * i / (SAMPLES - 1);
      for (int k = 0; k < SAMPLES; k++) {
        long column = (left.columns - 1) * k / (SAMPLES - 1);
        left.read(row, column, one, 1);
        right.read(turned ? column : row, turned ? row : column, other, 1);
        if (differ(one[0], other[0])) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean agree(Matrix left, Matrix right, Turn turn) {
    int width = (int) Math.min(left.columns, TILE);
    int height = (int) Math.min(left.rows, Math.max(1, TILE / width));
    float[][] tile = new float[height][width];
    float[] other = new float[Math.max(width, height)];
    for (long row = 0; row < left.rows; row += height) {
      int rows = (int) Math.min(height, left.rows - row);
      for (long column = 0; column < left.columns; column += width) {
        int columns = (int) Math.min(width, left.columns - column);
        for (int i = 0; i < rows; i++) {
          left.read(row + i, column, tile[i], columns);
        }
        boolean equal =
            turn == Turn.TRANSPOSED
                ? agreeTurned(tile, right, new Corner(row, column, rows, columns), other)
                : agreeAsIs(tile, right, new Corner(row, column, rows, columns), other);
        if (!equal) {
          return false;
        }
      }
    }
    return true;
  }

  /** Where a tile lies in the left matrix, and how large it is. */
  private record Corner(long row, long column, int rows, int columns) {}

  private static boolean agreeAsIs(float[][] tile, Matrix right, Corner at, float[] other) {
    for (int i = 0; i < at.rows(); i++) {
      right.read(at.row() + i, at.column(), other, at.columns());
      if (Arrays.mismatch(tile[i], 0, at.columns(), other, 0, at.columns()) >= 0) {
        return false;
      }
    }
    return true;
  }

  private static boolean agreeTurned(float[][] tile, Matrix right, Corner at, float[] other) {
    for (int k = 0; k < at.columns(); k++) {
      right.read(at.column() + k, at.row(), other, at.rows());
      for (int i = 0; i < at.rows(); i++) {
        if (differ(tile[i][k], other[i])) {
          return false;
        }
      }
    }
    return true;
  }

  /** Bit for bit, but for the payload of a NaN. */
  private static boolean differ(float a, float b) {
    return Float.floatToIntBits(a) != Float.floatToIntBits(b);
  }

  /** A stored matrix whose rows can be read in part. */
  private static final class Matrix implements AutoCloseable {
    private final OpenFile file;
    private final ByteSource bytes;
    private final long offset;
    private final long rows;
    private final long columns;
    private final int elementBytes;
    private final FloatCodec codec;
    private final MemorySegment buffer;

    private Matrix(StoredTensor tensor, OpenFile file, ByteSource bytes, long offset) {
      this.file = file;
      this.bytes = bytes;
      this.offset = offset;
      this.rows = tensor.shape().dim(0);
      this.columns = tensor.shape().elements() / Math.max(1, rows);
      this.elementBytes = tensor.dtype().bits() / 8;
      int most = (int) Math.min(TILE, Math.max(rows, columns));
      this.codec = new FloatCodec(tensor.dtype(), most);
      this.buffer = MemorySegment.ofArray(new byte[most * elementBytes]);
    }

    static Matrix open(OnnxModel model, StoredTensor tensor) {
      TensorSource source = tensor.source().orElse(null);
      OpenFile file = model.openSource(source == null ? model.path() : source.file());
      try {
        return source == null
            ? new Matrix(tensor, file, DecodedValues.of(tensor, file), 0)
            : new Matrix(tensor, file, file, source.offset());
      } catch (RuntimeException | Error e) {
        file.close();
        throw e;
      }
    }

    void read(long row, long column, float[] into, int count) {
      MemorySegment part = buffer.asSlice(0, (long) count * elementBytes);
      bytes.readFully(part, offset + (row * columns + column) * elementBytes);
      codec.decode(part, 0, into, count);
    }

    @Override
    public void close() {
      file.close();
    }
  }
}

package dev.graft.testing;

/** PEFT's arithmetic once more, in double and element by element. */
public final class Deltas {

  private Deltas() {}

  /**
   * A matrix {@code [rows][columns]}.
   *
   * @param rows the number of rows
   * @param columns the number of columns
   * @param at its values
   */
  public record Matrix(int rows, int columns, Element at) {

    /** A stored matrix, or a kernel as {@code [out, in · k..]}. */
    public static Matrix of(Values values) {
      int rows = values.rows();
      int columns = values.floats().length / rows;
      return new Matrix(rows, columns, (i, j) -> values.floats()[i * columns + j]);
    }

    /** The same the other way round. */
    public Matrix turned() {
      return new Matrix(/* rows= */ columns, /* columns= */ rows, (i, j) -> at.get(j, i));
    }

    /** The product with another. */
    public Matrix times(Matrix other) {
      return new Matrix(
          rows,
          other.columns,
          (i, j) -> {
            double sum = 0;
            for (int k = 0; k < columns; k++) {
              sum += at.get(i, k) * other.at.get(k, j);
            }
            return sum;
          });
    }

    /** The sum with a multiple of another. */
    public Matrix plus(double factor, Matrix other) {
      return new Matrix(rows, columns, (i, j) -> at.get(i, j) + factor * other.at.get(i, j));
    }

    /** DoRA: every row brought to a length. */
    public Matrix withLengths(float[] lengths) {
      return new Matrix(
          rows,
          columns,
          (i, j) -> {
            double squares = 0;
            for (int k = 0; k < columns; k++) {
              squares += at.get(i, k) * at.get(i, k);
            }
            return lengths[i] / Math.sqrt(squares) * at.get(i, j);
          });
    }

    /** All values, row after row. */
    public double[] values() {
      double[] values = new double[rows * columns];
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
          values[i * columns + j] = at.get(i, j);
        }
      }
      return values;
    }
  }

  /** One value of a matrix. */
  public interface Element {
    /** The value in a row and a column. */
    double get(int row, int column);
  }
}

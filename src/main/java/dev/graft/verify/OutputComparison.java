package dev.graft.verify;

import dev.graft.runtime.HostTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.verify.OutputParity.Argmax;
import dev.graft.verify.OutputParity.Errors;
import dev.graft.verify.OutputParity.Worst;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Goes through two tensors of one shape once, in blocks, and adds up how they differ. */
final class OutputComparison {

  private static final int BLOCK = 8192;

  private final double atol;
  private final double rtol;
  private final long rowLength;

  private double maxAbs;
  private double maxRel;
  private double sumAbs;
  private long finitePairs;
  private long beyond;
  private long nonFinite;
  private long referenceNonFinite;
  private long worstIndex = -1;
  private double worstValue;
  private double worstReference;

  private long column;
  private final RowMaximum row = new RowMaximum();
  private final RowMaximum referenceRow = new RowMaximum();
  private long agreeing;

  private OutputComparison(double atol, double rtol, long rowLength) {
    this.atol = atol;
    this.rtol = rtol;
    this.rowLength = rowLength;
  }

  /**
   * Compares two tensors.
   *
   * @param output what is checked
   * @param reference what it should be, of the same shape
   */
  static OutputParity compare(Named output, Named reference, Tolerance tolerance) {
    Shape shape = output.tensor().shape();
    DType dtype = output.tensor().dtype();
    DType referenceDtype = reference.tensor().dtype();
    double atol = tolerance.atolFor(dtype, referenceDtype);
    int rank = shape.rank();
    long rowLength = rank == 0 ? 1 : shape.dim(rank - 1);
    OutputComparison comparison = new OutputComparison(atol, tolerance.rtol(), rowLength);
    comparison.run(output.tensor(), reference.tensor());
    boolean ranked = rank >= 2 && !HostTensor.isInteger(dtype);
    return new OutputParity(
        output.name(),
        reference.name(),
        dtype,
        referenceDtype,
        shape,
        atol,
        tolerance.rtol(),
        comparison.errors(),
        ranked ? Optional.of(comparison.argmax(shape.elements())) : Optional.empty(),
        comparison.worst(shape));
  }

  /** A tensor and what it is called. */
  record Named(String name, HostTensor tensor) {}

  private void run(HostTensor output, HostTensor reference) {
    long elements = output.shape().elements();
    int capacity = (int) Math.min(BLOCK, elements);
    double[] values = new double[capacity];
    double[] expected = new double[capacity];
    for (long done = 0; done < elements; done += capacity) {
      int count = (int) Math.min(capacity, elements - done);
      output.read(done, values, count);
      reference.read(done, expected, count);
      for (int i = 0; i < count; i++) {
        add(done + i, values[i], expected[i]);
        addToRow(values[i], expected[i]);
      }
    }
  }

  private void add(long index, double value, double expected) {
    boolean finite = Double.isFinite(value);
    boolean expectedFinite = Double.isFinite(expected);
    nonFinite += finite ? 0 : 1;
    referenceNonFinite += expectedFinite ? 0 : 1;
    double error = Double.POSITIVE_INFINITY;
    if (value == expected) {
      error = 0;
    } else if (finite && expectedFinite) {
      error = Math.abs(value - expected);
    }
    if (finite && expectedFinite) {
      sumAbs += error;
      finitePairs++;
    }
    boolean within =
        error == 0 || (error <= atol + rtol * Math.abs(expected) && expectedFinite && finite);
    beyond += within ? 0 : 1;
    if (expected != 0) {
      maxRel = Math.max(maxRel, error == 0 ? 0 : relative(error, expected));
    }
    if (worstIndex < 0 || error > maxAbs) {
      maxAbs = error;
      worstIndex = index;
      worstValue = value;
      worstReference = expected;
    }
  }

  private static double relative(double error, double expected) {
    return Double.isInfinite(error) ? error : error / Math.abs(expected);
  }

  private void addToRow(double value, double expected) {
    row.add(column, value);
    referenceRow.add(column, expected);
    column++;
    if (column == rowLength) {
      agreeing += row.agrees(referenceRow) ? 1 : 0;
      row.clear();
      referenceRow.clear();
      column = 0;
    }
  }

  private Errors errors() {
    double mean = finitePairs == 0 ? 0 : sumAbs / finitePairs;
    return new Errors(maxAbs, maxRel, mean, beyond, nonFinite, referenceNonFinite);
  }

  private Argmax argmax(long elements) {
    return new Argmax(agreeing, elements == 0 ? 0 : elements / rowLength);
  }

  private Optional<Worst> worst(Shape shape) {
    if (worstIndex < 0) {
      return Optional.empty();
    }
    List<Long> index = new ArrayList<>();
    long rest = worstIndex;
    for (int axis = shape.rank() - 1; axis >= 0; axis--) {
      index.addFirst(rest % shape.dim(axis));
      rest /= shape.dim(axis);
    }
    return Optional.of(new Worst(List.copyOf(index), worstValue, worstReference));
  }

  /** Where a row has its largest entry; the first of equals, as argmax has it everywhere. */
  private static final class RowMaximum {
    private double largest = Double.NEGATIVE_INFINITY;
    private long at;
    private boolean sawNaN;

    void add(long column, double value) {
      sawNaN |= Double.isNaN(value);
      if (value > largest) {
        largest = value;
        at = column;
      }
    }

    boolean agrees(RowMaximum other) {
      return at == other.at && !sawNaN && !other.sawNaN;
    }

    void clear() {
      largest = Double.NEGATIVE_INFINITY;
      at = 0;
      sawNaN = false;
    }
  }
}

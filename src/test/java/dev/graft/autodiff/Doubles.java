package dev.graft.autodiff;

import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;

/**
 * A tensor in double precision; whole numbers and truth values are doubles too.
 *
 * @param shape the lengths of its axes
 * @param values row-major
 */
@SuppressWarnings("ArrayRecordComponent") // Compared by hand where it matters.
record Doubles(int[] shape, double[] values) {

  Doubles {
    if (count(shape) != values.length) {
      throw new IllegalArgumentException(
          "%s does not hold %d values".formatted(Arrays.toString(shape), values.length));
    }
  }

  static Doubles of(int[] shape, double... values) {
    return new Doubles(shape, values);
  }

  static Doubles scalar(double value) {
    return new Doubles(new int[0], new double[] {value});
  }

  static Doubles vector(long... values) {
    return new Doubles(new int[] {values.length}, Arrays.stream(values).asDoubleStream().toArray());
  }

  static Doubles zeros(int... shape) {
    return new Doubles(shape, new double[count(shape)]);
  }

  /** Normally distributed values, as float32 holds them. */
  static Doubles random(Random random, int... shape) {
    Doubles tensor = zeros(shape);
    for (int i = 0; i < tensor.values.length; i++) {
      tensor.values[i] = (float) random.nextGaussian();
    }
    return tensor;
  }

  static int count(int... shape) {
    return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
  }

  int rank() {
    return shape.length;
  }

  int dim(int axis) {
    return shape[axis < 0 ? axis + shape.length : axis];
  }

  long[] longs() {
    return Arrays.stream(values).mapToLong(v -> (long) v).toArray();
  }

  int[] ints() {
    return Arrays.stream(values).mapToInt(v -> (int) v).toArray();
  }

  Doubles reshaped(int... other) {
    return new Doubles(other, values);
  }

  Doubles map(DoubleUnaryOperator function) {
    return new Doubles(shape, Arrays.stream(values).map(function).toArray());
  }

  /** The steps between neighbours along each axis. */
  static int[] strides(int[] shape) {
    int[] strides = new int[shape.length];
    int step = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = step;
      step *= shape[i];
    }
    return strides;
  }

  /** The place along each axis of the element at a position. */
  static int[] places(int[] shape, int position) {
    int[] places = new int[shape.length];
    int rest = position;
    for (int i = shape.length - 1; i >= 0; i--) {
      places[i] = rest % shape[i];
      rest /= shape[i];
    }
    return places;
  }

  static int position(int[] shape, int[] places) {
    int position = 0;
    for (int i = 0; i < shape.length; i++) {
      position = position * shape[i] + places[i];
    }
    return position;
  }

  /** The element that stands at a place of a shape that this tensor is broadcast to. */
  double broadcast(int[] places) {
    int lead = places.length - shape.length;
    int position = 0;
    for (int i = 0; i < shape.length; i++) {
      position = position * shape[i] + (shape[i] == 1 ? 0 : places[i + lead]);
    }
    return values[position];
  }

  static int[] broadcastShape(int[] a, int[] b) {
    int rank = Math.max(a.length, b.length);
    int[] shape = new int[rank];
    for (int i = 0; i < rank; i++) {
      int x = i < rank - a.length ? 1 : a[i - rank + a.length];
      int y = i < rank - b.length ? 1 : b[i - rank + b.length];
      if (x != y && x != 1 && y != 1) {
        throw new IllegalArgumentException(Arrays.toString(a) + " and " + Arrays.toString(b));
      }
      shape[i] = x == 1 ? y : x;
    }
    return shape;
  }

  Doubles with(Doubles other, DoubleBinaryOperator function) {
    Doubles result = zeros(broadcastShape(shape, other.shape));
    for (int i = 0; i < result.values.length; i++) {
      int[] places = places(result.shape, i);
      result.values[i] = function.applyAsDouble(broadcast(places), other.broadcast(places));
    }
    return result;
  }
}

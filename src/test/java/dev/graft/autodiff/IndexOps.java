package dev.graft.autodiff;

import dev.graft.autodiff.Interpreter.Op;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Operators that pick elements by index, and their gradients: each says for every element of its
 * output which element of its input it is, and the gradient adds up along the same list.
 */
@SuppressWarnings("ArrayRecordComponent") // Compared nowhere.
final class IndexOps {

  private IndexOps() {}

  /** The shape of the output and, for each of its elements, the position in the input. */
  private record Picks(int[] shape, int[] positions) {

    Doubles from(Doubles data) {
      return new Doubles(
          shape, Arrays.stream(positions).mapToDouble(p -> data.values()[p]).toArray());
    }

    Doubles back(int[] into, Doubles dy) {
      Doubles sum = Doubles.zeros(into);
      for (int i = 0; i < positions.length; i++) {
        sum.values()[positions[i]] += dy.values()[i];
      }
      return sum;
    }
  }

  static void addTo(Map<String, Op> ops) {
    ops.put(
        "Gather",
        (node, in) -> List.of(gather(node, in.get(0).shape(), in.get(1)).from(in.get(0))));
    ops.put(
        "com.microsoft.GatherGrad",
        (node, in) -> {
          int[] shape = in.get(0).ints();
          return List.of(gather(node, shape, in.get(1)).back(shape, in.get(2)));
        });
    ops.put(
        "GatherElements",
        (node, in) -> List.of(elements(node, in.get(0).shape(), in.get(1)).from(in.get(0))));
    ops.put(
        "com.microsoft.GatherElementsGrad",
        (node, in) -> {
          int[] shape = in.get(1).ints();
          return List.of(elements(node, shape, in.get(2)).back(shape, in.get(0)));
        });
    ops.put(
        "GatherND",
        (node, in) -> List.of(slices(node, in.get(0).shape(), in.get(1)).from(in.get(0))));
    ops.put(
        "com.microsoft.GatherNDGrad",
        (node, in) -> {
          int[] shape = in.get(0).ints();
          return List.of(slices(node, shape, in.get(1)).back(shape, in.get(2)));
        });
    ops.put(
        "Slice",
        (_, in) -> List.of(range(in.get(0).shape(), in.subList(1, in.size())).from(in.get(0))));
    ops.put(
        "com.microsoft.SliceGrad",
        (_, in) -> {
          int[] shape = in.get(1).ints();
          return List.of(range(shape, in.subList(2, in.size())).back(shape, in.get(0)));
        });
    ops.put(
        "ScatterElements",
        (node, in) -> {
          Doubles added =
              elements(node, in.get(0).shape(), in.get(1)).back(in.get(0).shape(), in.get(2));
          return List.of(in.get(0).with(added, Double::sum));
        });
    ops.put("com.microsoft.BroadcastGradientArgs", (_, in) -> grown(in));
  }

  private static Picks gather(OpNode node, int[] data, Doubles indices) {
    int axis = node.axis(0, data.length);
    int[] shape =
        IntStream.concat(
                IntStream.concat(Arrays.stream(data, 0, axis), Arrays.stream(indices.shape())),
                Arrays.stream(data, axis + 1, data.length))
            .toArray();
    int[] positions = new int[Doubles.count(shape)];
    for (int i = 0; i < positions.length; i++) {
      int[] at = Doubles.places(shape, i);
      int[] index = Arrays.copyOfRange(at, axis, axis + indices.rank());
      int place = wrapped(indices.values()[Doubles.position(indices.shape(), index)], data[axis]);
      int[] from = new int[data.length];
      System.arraycopy(at, 0, from, 0, axis);
      from[axis] = place;
      System.arraycopy(at, axis + indices.rank(), from, axis + 1, data.length - axis - 1);
      positions[i] = Doubles.position(data, from);
    }
    return new Picks(shape, positions);
  }

  private static Picks elements(OpNode node, int[] data, Doubles indices) {
    int axis = node.axis(0, data.length);
    int[] positions = new int[indices.values().length];
    for (int i = 0; i < positions.length; i++) {
      int[] at = Doubles.places(indices.shape(), i);
      at[axis] = wrapped(indices.values()[i], data[axis]);
      positions[i] = Doubles.position(data, at);
    }
    return new Picks(indices.shape(), positions);
  }

  private static Picks slices(OpNode node, int[] data, Doubles indices) {
    int batch = (int) node.intAttribute("batch_dims", 0);
    int depth = indices.dim(-1);
    int[] outer = Arrays.copyOf(indices.shape(), indices.rank() - 1);
    int[] inner = Arrays.copyOfRange(data, batch + depth, data.length);
    int[] shape = IntStream.concat(Arrays.stream(outer), Arrays.stream(inner)).toArray();
    int[] positions = new int[Doubles.count(shape)];
    for (int i = 0; i < positions.length; i++) {
      int[] at = Doubles.places(shape, i);
      int[] from = new int[data.length];
      System.arraycopy(at, 0, from, 0, batch);
      int tuple = Doubles.position(outer, Arrays.copyOf(at, outer.length)) * depth;
      for (int k = 0; k < depth; k++) {
        from[batch + k] = wrapped(indices.values()[tuple + k], data[batch + k]);
      }
      System.arraycopy(at, outer.length, from, batch + depth, inner.length);
      positions[i] = Doubles.position(data, from);
    }
    return new Picks(shape, positions);
  }

  private static Picks range(int[] data, List<Doubles> limits) {
    int[] starts = new int[data.length];
    int[] steps = new int[data.length];
    Arrays.fill(steps, 1);
    int[] shape = data.clone();
    for (int i = 0; i < limits.get(0).values().length; i++) {
      int axis = limits.size() > 2 ? wrapped(limits.get(2).values()[i], data.length) : i;
      int step = limits.size() > 3 ? (int) limits.get(3).values()[i] : 1;
      int low = step > 0 ? 0 : -1;
      int high = step > 0 ? data[axis] : data[axis] - 1;
      int start = clamped(limits.get(0).values()[i], data[axis], low, high);
      int end = clamped(limits.get(1).values()[i], data[axis], low, high);
      starts[axis] = start;
      steps[axis] = step;
      shape[axis] = Math.max(0, Math.ceilDiv(end - start, step));
    }
    int[] positions = new int[Doubles.count(shape)];
    for (int i = 0; i < positions.length; i++) {
      int[] at = Doubles.places(shape, i);
      Arrays.setAll(at, axis -> starts[axis] + at[axis] * steps[axis]);
      positions[i] = Doubles.position(data, at);
    }
    return new Picks(shape, positions);
  }

  private static int clamped(double place, int length, int low, int high) {
    double from = place < 0 ? place + length : place;
    return (int) Math.clamp(from, low, high);
  }

  private static int wrapped(double index, int length) {
    return (int) (index < 0 ? index + length : index);
  }

  /** The axes along which each of two shapes grows when they are broadcast. */
  private static List<Doubles> grown(List<Doubles> in) {
    int[] a = in.get(0).ints();
    int[] b = in.get(1).ints();
    int[] both = Doubles.broadcastShape(a, b);
    return List.of(grown(a, both), grown(b, both));
  }

  private static Doubles grown(int[] shape, int[] both) {
    List<Long> axes = new ArrayList<>();
    for (int i = 0; i < both.length; i++) {
      int own = i - both.length + shape.length;
      if (own < 0 || shape[own] == 1) {
        axes.add((long) i);
      }
    }
    return Doubles.vector(axes.stream().mapToLong(Long::longValue).toArray());
  }
}

package dev.graft.autodiff;

import dev.graft.autodiff.Interpreter.Op;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Operators that move elements, and reductions. */
final class ShapeOps {

  private ShapeOps() {}

  static void addTo(Map<String, Op> ops) {
    ops.put("Shape", (_, in) -> List.of(shape(in.getFirst())));
    ops.put(
        "Constant",
        (node, _) ->
            List.of(Interpreter.decoded(ContentShapes.constantTensor(node).orElseThrow())));
    ops.put("ConstantOfShape", (_, in) -> List.of(Doubles.zeros(in.getFirst().ints())));
    ops.put("Reshape", (_, in) -> List.of(reshape(in.get(0), in.get(1).ints())));
    ops.put(
        "Flatten",
        (node, in) -> {
          Doubles x = in.getFirst();
          int axis = node.axis(1, x.rank());
          int rows = Doubles.count(Arrays.copyOf(x.shape(), axis));
          return List.of(x.reshaped(rows, rows == 0 ? 0 : x.values().length / rows));
        });
    ops.put("Squeeze", (node, in) -> List.of(squeeze(in.getFirst(), axes(node, in))));
    ops.put("Unsqueeze", (node, in) -> List.of(unsqueeze(in.getFirst(), axes(node, in))));
    ops.put(
        "Transpose",
        (node, in) ->
            List.of(
                transpose(
                    in.getFirst(),
                    MovementShapes.permutation(node, in.getFirst().rank()).stream()
                        .mapToInt(Integer::intValue)
                        .toArray())));
    ops.put(
        "Expand", (_, in) -> List.of(Doubles.zeros(in.get(1).ints()).with(in.get(0), (_, x) -> x)));
    ops.put("Concat", (node, in) -> List.of(concat(in, node.axis(0, in.getFirst().rank()))));
    ops.put("Split", ShapeOps::split);
    ops.put(
        "Range",
        (_, in) ->
            List.of(
                Doubles.vector(
                    IntStream.range((int) in.get(0).values()[0], (int) in.get(1).values()[0])
                        .asLongStream()
                        .toArray())));
    ops.put("Tile", (_, in) -> List.of(tile(in.get(0), in.get(1).ints())));
    ops.put("Pad", (_, in) -> List.of(pad(in.get(0), in.get(1).ints())));
    reduce(ops, "ReduceSum", v -> Arrays.stream(v).sum());
    reduce(ops, "com.microsoft.ReduceSumTraining", v -> Arrays.stream(v).sum());
    reduce(ops, "ReduceMean", v -> Arrays.stream(v).average().orElseThrow());
    reduce(ops, "ReduceMax", v -> Arrays.stream(v).max().orElseThrow());
    reduce(ops, "ReduceMin", v -> Arrays.stream(v).min().orElseThrow());
    reduce(ops, "ReduceProd", v -> Arrays.stream(v).reduce(1, (a, b) -> a * b));
    reduce(ops, "ReduceL2", v -> Math.sqrt(Arrays.stream(v).map(x -> x * x).sum()));
    reduce(ops, "ReduceSumSquare", v -> Arrays.stream(v).map(x -> x * x).sum());
    reduce(ops, "ReduceLogSumExp", v -> Math.log(Arrays.stream(v).map(Math::exp).sum()));
  }

  static Doubles shape(Doubles x) {
    return Doubles.vector(Arrays.stream(x.shape()).asLongStream().toArray());
  }

  private static long[] axes(OpNode node, List<Doubles> in) {
    return node.intsAttribute("axes")
        .map(a -> a.stream().mapToLong(Long::longValue).toArray())
        .orElseGet(() -> in.size() > 1 ? in.get(1).longs() : new long[0]);
  }

  private static Doubles reshape(Doubles x, int[] target) {
    int[] shape = target.clone();
    int rest = -1;
    int known = 1;
    for (int i = 0; i < shape.length; i++) {
      if (shape[i] == 0) {
        shape[i] = x.shape()[i];
      }
      if (shape[i] == -1) {
        rest = i;
      } else {
        known *= shape[i];
      }
    }
    if (rest >= 0) {
      shape[rest] = x.values().length / known;
    }
    return x.reshaped(shape);
  }

  private static Doubles squeeze(Doubles x, long[] axes) {
    List<Integer> gone = MovementShapes.places(axes, x.rank());
    return x.reshaped(
        IntStream.range(0, x.rank())
            .filter(i -> axes.length == 0 ? x.dim(i) != 1 : !gone.contains(i))
            .map(x::dim)
            .toArray());
  }

  private static Doubles unsqueeze(Doubles x, long[] axes) {
    int rank = x.rank() + axes.length;
    List<Integer> fresh = MovementShapes.places(axes, rank);
    int[] shape = new int[rank];
    int next = 0;
    for (int i = 0; i < rank; i++) {
      shape[i] = fresh.contains(i) ? 1 : x.dim(next++);
    }
    return x.reshaped(shape);
  }

  static Doubles transpose(Doubles x, int... permutation) {
    Doubles result = Doubles.zeros(Arrays.stream(permutation).map(x::dim).toArray());
    for (int i = 0; i < result.values().length; i++) {
      int[] places = Doubles.places(result.shape(), i);
      int[] from = new int[places.length];
      for (int axis = 0; axis < from.length; axis++) {
        from[permutation[axis]] = places[axis];
      }
      result.values()[i] = x.values()[Doubles.position(x.shape(), from)];
    }
    return result;
  }

  private static Doubles concat(List<Doubles> parts, int axis) {
    int[] shape = parts.getFirst().shape().clone();
    shape[axis] = parts.stream().mapToInt(p -> p.dim(axis)).sum();
    Doubles result = Doubles.zeros(shape);
    int start = 0;
    for (Doubles part : parts) {
      for (int i = 0; i < part.values().length; i++) {
        int[] places = Doubles.places(part.shape(), i);
        places[axis] += start;
        result.values()[Doubles.position(shape, places)] = part.values()[i];
      }
      start += part.dim(axis);
    }
    return result;
  }

  private static Doubles tile(Doubles x, int[] repeats) {
    int[] shape = new int[x.rank()];
    Arrays.setAll(shape, i -> x.dim(i) * repeats[i]);
    Doubles result = Doubles.zeros(shape);
    for (int i = 0; i < result.values().length; i++) {
      int[] at = Doubles.places(shape, i);
      Arrays.setAll(at, axis -> at[axis] % x.dim(axis));
      result.values()[i] = x.values()[Doubles.position(x.shape(), at)];
    }
    return result;
  }

  private static Doubles pad(Doubles x, int[] pads) {
    int[] shape = new int[x.rank()];
    Arrays.setAll(shape, i -> x.dim(i) + pads[i] + pads[i + x.rank()]);
    Doubles result = Doubles.zeros(shape);
    for (int i = 0; i < x.values().length; i++) {
      int[] at = Doubles.places(x.shape(), i);
      Arrays.setAll(at, axis -> at[axis] + pads[axis]);
      result.values()[Doubles.position(shape, at)] = x.values()[i];
    }
    return result;
  }

  private static List<Doubles> split(OpNode node, List<Doubles> in) {
    Doubles x = in.getFirst();
    int axis = node.axis(0, x.rank());
    int parts = node.proto().getOutputCount();
    int[] lengths = new int[parts];
    Arrays.fill(lengths, x.dim(axis) / parts);
    if (node.intsAttribute("split").isPresent()) {
      lengths = node.intsAttribute("split").get().stream().mapToInt(Long::intValue).toArray();
    } else if (in.size() > 1) {
      lengths = in.get(1).ints();
    }
    List<Doubles> results = new ArrayList<>();
    int start = 0;
    for (int length : lengths) {
      int[] shape = x.shape().clone();
      shape[axis] = length;
      Doubles part = Doubles.zeros(shape);
      for (int i = 0; i < part.values().length; i++) {
        int[] places = Doubles.places(shape, i);
        places[axis] += start;
        part.values()[i] = x.values()[Doubles.position(x.shape(), places)];
      }
      results.add(part);
      start += length;
    }
    return results;
  }

  private static void reduce(Map<String, Op> ops, String name, ToDoubleFunction<double[]> fold) {
    ops.put(
        name,
        (node, in) -> {
          Doubles x = in.getFirst();
          long[] axes = axes(node, in);
          boolean isNothing = axes.length == 0 && node.intAttribute("noop_with_empty_axes", 0) != 0;
          List<Integer> gone =
              axes.length == 0 && !isNothing
                  ? IntStream.range(0, x.rank()).boxed().toList()
                  : MovementShapes.places(axes, x.rank());
          Doubles kept = reduced(x, gone, fold);
          return List.of(
              node.intAttribute("keepdims", 1) != 0
                  ? kept
                  : kept.reshaped(
                      IntStream.range(0, x.rank())
                          .filter(i -> !gone.contains(i))
                          .map(x::dim)
                          .toArray()));
        });
  }

  /** Reduces axes, which stay with length 1. */
  static Doubles reduced(Doubles x, List<Integer> axes, ToDoubleFunction<double[]> fold) {
    int[] shape = x.shape().clone();
    axes.forEach(axis -> shape[axis] = 1);
    List<List<Double>> groups = new ArrayList<>();
    for (int i = 0; i < Doubles.count(shape); i++) {
      groups.add(new ArrayList<>());
    }
    for (int i = 0; i < x.values().length; i++) {
      int[] places = Doubles.places(x.shape(), i);
      axes.forEach(axis -> places[axis] = 0);
      groups.get(Doubles.position(shape, places)).add(x.values()[i]);
    }
    Doubles result = Doubles.zeros(shape);
    for (int i = 0; i < groups.size(); i++) {
      result.values()[i] =
          fold.applyAsDouble(groups.get(i).stream().mapToDouble(Double::doubleValue).toArray());
    }
    return result;
  }
}

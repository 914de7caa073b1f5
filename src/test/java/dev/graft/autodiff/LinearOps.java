package dev.graft.autodiff;

import dev.graft.autodiff.Interpreter.Op;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Matrix products and convolutions, and the gradients of the latter. */
@SuppressWarnings("ArrayRecordComponent") // Compared nowhere.
final class LinearOps {

  private LinearOps() {}

  static void addTo(Map<String, Op> ops) {
    ops.put("MatMul", (_, in) -> List.of(product(in.get(0), in.get(1))));
    ops.put("com.microsoft.FusedMatMul", LinearOps::fused);
    ops.put("Gemm", LinearOps::gemm);
    ops.put("Conv", (node, in) -> List.of(convolved(node, in)));
    ops.put("com.microsoft.ConvGrad", LinearOps::convolvedBack);
  }

  private static List<Doubles> fused(OpNode node, List<Doubles> in) {
    Doubles a = node.intAttribute("transA", 0) == 0 ? in.get(0) : turned(in.get(0));
    Doubles b = node.intAttribute("transB", 0) == 0 ? in.get(1) : turned(in.get(1));
    double alpha = node.floatAttribute("alpha", 1);
    return List.of(product(a, b).map(v -> alpha * v));
  }

  private static List<Doubles> gemm(OpNode node, List<Doubles> in) {
    Doubles product = fused(node, in).getFirst();
    double beta = node.floatAttribute("beta", 1);
    return List.of(in.size() < 3 ? product : product.with(in.get(2), (ab, c) -> ab + beta * c));
  }

  private static Doubles turned(Doubles x) {
    if (x.rank() < 2) {
      return x;
    }
    int[] permutation = new int[x.rank()];
    Arrays.setAll(permutation, i -> i);
    permutation[x.rank() - 1] = x.rank() - 2;
    permutation[x.rank() - 2] = x.rank() - 1;
    return ShapeOps.transpose(x, permutation);
  }

  private static Doubles product(Doubles left, Doubles right) {
    Doubles a = left.rank() == 1 ? left.reshaped(1, left.dim(0)) : left;
    Doubles b = right.rank() == 1 ? right.reshaped(right.dim(0), 1) : right;
    int[] batch =
        Doubles.broadcastShape(
            Arrays.copyOf(a.shape(), a.rank() - 2), Arrays.copyOf(b.shape(), b.rank() - 2));
    int[] shape = Arrays.copyOf(batch, batch.length + 2);
    shape[batch.length] = a.dim(-2);
    shape[batch.length + 1] = b.dim(-1);
    Doubles result = Doubles.zeros(shape);
    for (int i = 0; i < result.values().length; i++) {
      int[] places = Doubles.places(shape, i);
      int[] at = places.clone();
      int[] bt = places.clone();
      double sum = 0;
      for (int k = 0; k < a.dim(-1); k++) {
        at[at.length - 1] = k;
        bt[bt.length - 2] = k;
        sum += element(a, at) * element(b, bt);
      }
      result.values()[i] = sum;
    }
    if (left.rank() > 1 && right.rank() > 1) {
      return result;
    }
    int[] squeezed = batch;
    if (left.rank() > 1) {
      squeezed = Arrays.copyOf(batch, batch.length + 1);
      squeezed[batch.length] = a.dim(-2);
    } else if (right.rank() > 1) {
      squeezed = Arrays.copyOf(batch, batch.length + 1);
      squeezed[batch.length] = b.dim(-1);
    }
    return result.reshaped(squeezed);
  }

  /** An element of a stack of matrices whose batches are broadcast. */
  private static double element(Doubles x, int[] places) {
    return x.broadcast(places);
  }

  private static Doubles convolved(OpNode node, List<Doubles> in) {
    Window window = new Window(node, in.get(0).shape(), in.get(1).shape());
    Doubles y = Doubles.zeros(window.output());
    window.visit(
        (yAt, xAt, wAt) -> y.values()[yAt] += in.get(0).values()[xAt] * in.get(1).values()[wAt]);
    if (in.size() > 2) {
      int[] bias = new int[y.rank() - 1];
      Arrays.fill(bias, 1);
      bias[0] = in.get(2).dim(0);
      return y.with(in.get(2).reshaped(bias), Double::sum);
    }
    return y;
  }

  private static List<Doubles> convolvedBack(OpNode node, List<Doubles> in) {
    Doubles dy = in.get(0);
    Doubles x = in.get(1);
    Doubles w = in.get(2);
    Doubles dx = Doubles.zeros(x.shape());
    Doubles dw = Doubles.zeros(w.shape());
    new Window(node, x.shape(), w.shape())
        .visit((yAt, xAt, wAt) -> {
          dx.values()[xAt] += dy.values()[yAt] * w.values()[wAt];
          dw.values()[wAt] += dy.values()[yAt] * x.values()[xAt];
        });
    Doubles bias = Doubles.zeros(w.dim(0));
    for (int i = 0; i < dy.values().length; i++) {
      bias.values()[Doubles.places(dy.shape(), i)[1]] += dy.values()[i];
    }
    return List.of(dx, dw, bias);
  }

  /** The places that a convolution over two axes joins. */
  private record Window(OpNode node, int[] x, int[] w) {

    /** Takes positions in the output, the input and the weight. */
    private interface Visitor {
      void visit(int y, int x, int w);
    }

    private int option(String name, int place, int otherwise) {
      return node.intsAttribute(name).map(v -> Math.toIntExact(v.get(place))).orElse(otherwise);
    }

    int[] output() {
      int[] shape = {x[0], w[0], 0, 0};
      for (int i = 0; i < 2; i++) {
        int pads = option("pads", i, 0) + option("pads", i + 2, 0);
        int extent = option("dilations", i, 1) * (w[i + 2] - 1) + 1;
        shape[i + 2] = (x[i + 2] + pads - extent) / option("strides", i, 1) + 1;
      }
      return shape;
    }

    void visit(Visitor visitor) {
      int[] y = output();
      int groups = (int) node.intAttribute("group", 1);
      for (int i = 0; i < Doubles.count(y); i++) {
        int[] at = Doubles.places(y, i);
        for (int j = 0; j < Doubles.count(w) / w[0]; j++) {
          int[] kernel = Doubles.places(w, at[1] * (Doubles.count(w) / w[0]) + j);
          int channel = kernel[1] + at[1] / (w[0] / groups) * w[1];
          int row =
              at[2] * option("strides", 0, 1)
                  - option("pads", 0, 0)
                  + kernel[2] * option("dilations", 0, 1);
          int column =
              at[3] * option("strides", 1, 1)
                  - option("pads", 1, 0)
                  + kernel[3] * option("dilations", 1, 1);
          if (row >= 0 && row < x[2] && column >= 0 && column < x[3]) {
            visitor.visit(
                i,
                Doubles.position(x, new int[] {at[0], channel, row, column}),
                Doubles.position(w, kernel));
          }
        }
      }
    }
  }
}

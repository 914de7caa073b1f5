package dev.graft.inject;

import dev.graft.adapter.LoraPair;
import dev.graft.error.UnsupportedException;
import dev.graft.match.BoundTarget.Lora;
import dev.graft.match.Layout;
import dev.graft.onnx.OnnxModel;
import dev.graft.safetensors.SafetensorsData;

/**
 * DoRA's factor for every output, {@code m / ‖α·W + s·B·A‖} with the norm over the inputs, from the
 * weights of the model. Products and squares are summed in double.
 */
final class DoraFactors {

  private final BaseValues base;

  DoraFactors(OnnxModel model) {
    this.base = new BaseValues(model);
  }

  /**
   * The factors of a pair's outputs, those of all places that it acts on together.
   *
   * @throws UnsupportedException if a weight is not stored as floats, or has no length
   */
  float[] of(SlotFit fit) {
    LoraPair pair = fit.pair();
    Delta delta = new Delta(pair);
    float[] magnitude = SafetensorsData.readFloats(pair.magnitude().orElseThrow());
    float[] factors = new float[magnitude.length];
    for (Lora lora : fit.loras()) {
      float[] weight = base.of(lora.place().tensor());
      int first = lora.pairOutputs().isAll() ? 0 : Math.toIntExact(lora.pairOutputs().from());
      int count = Math.toIntExact(lora.pairOutputs().countOf(factors.length));
      for (int o = 0; o < count; o++) {
        double[] row = row(lora, weight, o);
        delta.addTo(row, first + o);
        double norm = norm(row);
        if (!(norm > 0)) {
          throw new UnsupportedException(
              "%s: the weights of output %d have the length %s, so DoRA's factor is not defined"
                  .formatted(pair.module(), first + o, norm));
        }
        factors[first + o] = (float) (magnitude[first + o] / norm);
      }
    }
    return factors;
  }

  /** {@code s·B·A}, row by row. */
  private static final class Delta {
    private final float[] a;
    private final float[] b;
    private final int rank;
    private final double scale;

    Delta(LoraPair pair) {
      this.a = SafetensorsData.readFloats(pair.a());
      this.b = SafetensorsData.readFloats(pair.b());
      this.rank = Math.toIntExact(pair.a().shape().dim(0));
      this.scale = pair.scale();
    }

    void addTo(double[] weights, int output) {
      for (int r = 0; r < rank; r++) {
        double factor = scale * b[output * rank + r];
        int row = r * weights.length;
        for (int i = 0; i < weights.length; i++) {
          weights[i] += factor * a[row + i];
        }
      }
    }
  }

  private static double norm(double[] weights) {
    double squares = 0;
    for (double value : weights) {
      squares += value * value;
    }
    return Math.sqrt(squares);
  }

  /** {@code α·W} for one of the outputs that the pair acts on. */
  private static double[] row(Lora lora, float[] weight, int output) {
    int outs = Math.toIntExact(lora.layout().out(lora.operation().shape()));
    int ins = weight.length / outs;
    int from = lora.place().outputs().isAll() ? 0 : Math.toIntExact(lora.place().outputs().from());
    int place = from + output;
    double[] row = new double[ins];
    for (int i = 0; i < ins; i++) {
      int at = lora.layout() == Layout.OUT_IN ? place * ins + i : i * outs + place;
      row[i] = (double) lora.alpha() * weight[at];
    }
    return row;
  }
}

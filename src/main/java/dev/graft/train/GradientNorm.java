package dev.graft.train;

import java.util.Collection;

/** The length of all gradients together, and how far they are cut back to a longest one. */
final class GradientNorm {

  /** What keeps the quotient finite, as in {@code torch.nn.utils.clip_grad_norm_}. */
  private static final double GUARD = 1e-6;

  private GradientNorm() {}

  /** The root of the sum of all squares. */
  static double of(Collection<float[]> gradients) {
    double sum = 0;
    for (float[] gradient : gradients) {
      for (float g : gradient) {
        sum += (double) g * g;
      }
    }
    return Math.sqrt(sum);
  }

  /** Scales the gradients so that their norm is at most {@code longest}; shorter ones stay. */
  static void clip(Collection<float[]> gradients, double norm, double longest) {
    double factor = longest / (norm + GUARD);
    if (factor >= 1) {
      return;
    }
    for (float[] gradient : gradients) {
      for (int i = 0; i < gradient.length; i++) {
        gradient[i] *= (float) factor;
      }
    }
  }
}

package dev.graft.train;

import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * AdamW as {@code torch.optim.AdamW} computes it, in float32:
 *
 * <pre>
 * p ← p·(1 − η·λ)
 * m ← m + (g − m)·(1 − β₁)      v ← v·β₂ + g²·(1 − β₂)
 * p ← p − η/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
 * </pre>
 */
final class AdamW implements Optimizer {

  private final double beta1;
  private final double beta2;
  private final double epsilon;
  private final IdentityHashMap<Parameter, SequencedMap<String, float[]>> states =
      new IdentityHashMap<>();

  AdamW(double beta1, double beta2, double epsilon) {
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.epsilon = epsilon;
  }

  @Override
  public SequencedMap<String, float[]> state(Parameter parameter) {
    return states.computeIfAbsent(
        parameter,
        p -> {
          SequencedMap<String, float[]> state = new LinkedHashMap<>();
          state.put("exp_avg", new float[p.values().length]);
          state.put("exp_avg_sq", new float[p.values().length]);
          return state;
        });
  }

  @Override
  public void step(Parameter parameter, float[] gradient, Rate rate) {
    SequencedMap<String, float[]> state = state(parameter);
    float[] p = parameter.values();
    float[] m = state.firstEntry().getValue();
    float[] v = state.lastEntry().getValue();
    float keep = (float) (1 - rate.learningRate() * rate.decay());
    float toward = (float) (1 - beta1);
    float decay = (float) beta2;
    float fresh = (float) (1 - beta2);
    float size = (float) (rate.learningRate() / (1 - Math.pow(beta1, (double) rate.step())));
    float correction = (float) Math.sqrt(1 - Math.pow(beta2, (double) rate.step()));
    float floor = (float) epsilon;
    for (int i = 0; i < p.length; i++) {
      float g = gradient[i];
      m[i] += (g - m[i]) * toward;
      v[i] = v[i] * decay + g * g * fresh;
      p[i] = p[i] * keep - size * m[i] / ((float) Math.sqrt(v[i]) / correction + floor);
    }
  }
}

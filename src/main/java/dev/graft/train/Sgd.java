package dev.graft.train;

import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * Stochastic gradient descent as {@code torch.optim.SGD} computes it, in float32: {@code d = g +
 * λ·p}, {@code b ← μ·b + d}, {@code p ← p − η·b}.
 */
final class Sgd implements Optimizer {

  private final float momentum;
  private final IdentityHashMap<Parameter, SequencedMap<String, float[]>> states =
      new IdentityHashMap<>();

  Sgd(double momentum) {
    this.momentum = (float) momentum;
  }

  @Override
  public SequencedMap<String, float[]> state(Parameter parameter) {
    return states.computeIfAbsent(
        parameter,
        p -> {
          SequencedMap<String, float[]> state = new LinkedHashMap<>();
          if (momentum != 0) {
            state.put("momentum_buffer", new float[p.values().length]);
          }
          return state;
        });
  }

  @Override
  public void step(Parameter parameter, float[] gradient, Rate rate) {
    float[] p = parameter.values();
    float[] buffer = state(parameter).getOrDefault("momentum_buffer", new float[p.length]);
    float decay = (float) rate.decay();
    float size = (float) rate.learningRate();
    for (int i = 0; i < p.length; i++) {
      buffer[i] = momentum * buffer[i] + (gradient[i] + decay * p[i]);
      p[i] -= size * buffer[i];
    }
  }
}

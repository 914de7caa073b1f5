package dev.graft.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.tensor.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Holds the optimizers to numbers of torch 2.15. */
final class OptimizerTest {

  private static final float[][] GRADIENTS = {
    {0.5f, -2, 1e-3f}, {-0.25f, 1, 0}, {3, 0.125f, -1e-2f}
  };

  private static float[] after(Optimizer optimizer, double decay) {
    Parameter parameter = new Parameter("p", Shape.of(3), new float[] {1, -0.5f, 0.25f});
    for (int i = 0; i < GRADIENTS.length; i++) {
      optimizer.step(parameter, GRADIENTS[i], new Optimizer.Rate(0.1, decay, i + 1));
    }
    return parameter.values();
  }

  private static void requireClose(float[] found, double... expected) {
    for (int i = 0; i < expected.length; i++) {
      assertThat((double) found[i]).isCloseTo(expected[i], within(3e-7));
    }
  }

  @Test
  void takesTheStepsOfTorchsAdamW() {
    requireClose(
        after(new AdamW(0.8, 0.95, 1e-6), 0.5),
        0.6760677099227905,
        -0.30676642060279846,
        0.12826603651046753);
  }

  @Test
  void takesTheStepsOfTorchsSgd() {
    requireClose(
        after(new Sgd(0.9), 0.5), 0.3514999747276306, -0.05868752300739288, 0.18359149992465973);
    requireClose(after(new Sgd(0), 0), 0.6749999523162842, -0.4124999940395355, 0.250900000333786);
  }

  @Test
  void cutsGradientsToTheLongestNormAndLeavesShortOnes() {
    List<float[]> gradients = List.of(new float[] {3, 0}, new float[] {4});
    assertThat(GradientNorm.of(gradients)).isEqualTo(5);
    GradientNorm.clip(gradients, 5, 10);
    assertThat(gradients.getFirst()).containsExactly(3, 0);
    GradientNorm.clip(gradients, 5, 1);
    assertThat(GradientNorm.of(gradients)).isCloseTo(1, within(1e-6));
  }
}

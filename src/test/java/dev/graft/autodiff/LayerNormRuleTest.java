package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LayerNormRuleTest {

  @TempDir Path folder;

  @Test
  void inputScaleAndBias() {
    RuleCheck.of("LayerNormalization").x(2, 3, 8).x(8).x(8).holds(folder);
    RuleCheck.of("LayerNormalization").x(2, 3, 8).x(8).holds(folder);
  }

  @Test
  void severalAxes() {
    RuleCheck.of("LayerNormalization")
        .x(2, 3, 4)
        .x(3, 4)
        .x(3, 4)
        .with(Attributes.of("axis", 1L), Attributes.of("epsilon", 1e-2f))
        .holds(folder);
  }

  @Test
  void frozenScaleAndBias() {
    RuleCheck.of("LayerNormalization")
        .x(2, 4)
        .constant(Doubles.vector(2, 3, 4, 5))
        .constant(Doubles.vector(1, 1, 2, 2))
        .holds(folder);
  }
}

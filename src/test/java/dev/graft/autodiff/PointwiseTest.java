package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PointwiseTest {

  @TempDir Path folder;

  @Test
  void smoothFunctions() {
    for (String operator :
        List.of(
            "Neg",
            "Exp",
            "Sin",
            "Cos",
            "Erf",
            "Tanh",
            "Sigmoid",
            "Softplus",
            "com.microsoft.Gelu",
            "com.microsoft.FastGelu")) {
      RuleCheck.of(operator).x(2, 3, 4).holds(folder);
    }
  }

  @Test
  void functionsWithKinks() {
    RuleCheck.of("Relu").x(3, 4).holds(folder);
    RuleCheck.of("Abs").x(3, 4).holds(folder);
  }

  @Test
  void functionsOfPositiveNumbers() {
    for (String operator : List.of("Sqrt", "Log", "Reciprocal")) {
      RuleCheck.of(operator).x(v -> Math.abs(v) + 0.5, 3, 4).holds(folder);
    }
  }

  @Test
  void siluIsQuickGeluOfSlopeOne() {
    RuleCheck.of("com.microsoft.QuickGelu").x(3, 4).with(Attributes.of("alpha", 1f)).holds(folder);
    RuleCheck.of("com.microsoft.QuickGelu").x(3, 4).holds(folder);
  }
}

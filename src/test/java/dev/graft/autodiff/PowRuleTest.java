package dev.graft.autodiff;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PowRuleTest {

  @TempDir Path folder;

  @Test
  void fixedExponents() {
    for (double exponent : List.of(2.0, 3.0, 0.5, -1.5)) {
      RuleCheck.of("Pow")
          .x(v -> Math.abs(v) + 0.5, 2, 3)
          .constant(Doubles.scalar(exponent))
          .holds(folder);
    }
  }

  @Test
  void exponentsThatAreTrained() {
    RuleCheck.of("Pow").x(v -> Math.abs(v) + 0.5, 2, 3).x(3).holds(folder);
  }
}

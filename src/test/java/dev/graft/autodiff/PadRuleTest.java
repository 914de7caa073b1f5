package dev.graft.autodiff;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PadRuleTest {

  @TempDir Path folder;

  @Test
  void zerosOnBothSides() {
    RuleCheck.of("Pad").x(2, 3).vector(0, 1, 2, 0).holds(folder);
    RuleCheck.of("Pad").x(2, 3).vector(1, 0, 0, 4).holds(folder);
  }
}

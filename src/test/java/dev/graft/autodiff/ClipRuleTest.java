package dev.graft.autodiff;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ClipRuleTest {

  @TempDir Path folder;

  @Test
  void nothingComesFromBeyondTheBounds() {
    RuleCheck.of("Clip")
        .x(3, 4)
        .constant(Doubles.scalar(-0.5))
        .constant(Doubles.scalar(0.7))
        .holds(folder);
    RuleCheck.of("Clip").x(3, 4).constant(Doubles.scalar(-0.5)).holds(folder);
  }
}

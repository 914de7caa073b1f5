package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ConcatRuleTest {

  @TempDir Path folder;

  @Test
  void partsOfAnyLength() {
    RuleCheck.of("Concat").x(2, 3).x(2, 1).with(Attributes.of("axis", 1L)).holds(folder);
    RuleCheck.of("Concat")
        .x(2, 3)
        .constant(Doubles.zeros(1, 3))
        .x(4, 3)
        .with(Attributes.of("axis", 0L))
        .holds(folder);
    RuleCheck.of("Concat")
        .opset(11)
        .x(2, 3)
        .x(2, 1)
        .with(Attributes.of("axis", -1L))
        .fixedOnly()
        .holds(folder);
  }

  @Test
  void anEmptyPastIsPassedOver() {
    RuleCheck.of("Concat")
        .constant(Doubles.zeros(2, 0, 3))
        .x(2, 4, 3)
        .with(Attributes.of("axis", 1L))
        .holds(folder);
  }
}

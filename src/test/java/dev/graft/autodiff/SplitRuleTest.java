package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SplitRuleTest {

  @TempDir Path folder;

  @Test
  void equalAndUnequalParts() {
    RuleCheck.of("Split").x(2, 6).with(Attributes.of("axis", 1L)).outputs(3, 0, 1, 2).holds(folder);
    RuleCheck.of("Split")
        .x(2, 6)
        .vector(1, 3, 2)
        .with(Attributes.of("axis", -1L))
        .outputs(3, 0, 1, 2)
        .holds(folder);
    RuleCheck.of("Split")
        .opset(11)
        .x(6, 2)
        .with(Emitter.ints("split", 4, 2))
        .outputs(2, 0, 1)
        .holds(folder);
  }

  @Test
  void partsThatNobodyReadsAreZero() {
    RuleCheck.of("Split").x(2, 6).with(Attributes.of("axis", 1L)).outputs(3, 1).holds(folder);
    RuleCheck.of("Split").x(6).vector(1, 3, 2).outputs(3, 0, 2).holds(folder);
  }
}

package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class GatherRuleTest {

  @TempDir Path folder;

  @Test
  void severalIndices() {
    RuleCheck.of("Gather").x(5, 3).vector(4, 0, 4).holds(folder);
    RuleCheck.of("Gather")
        .x(2, 5, 3)
        .vector(4, 0, -1)
        .with(Attributes.of("axis", 1L))
        .holds(folder);
  }

  @Test
  void oneIndexIsARange() {
    RuleCheck.of("Gather").x(2, 5, 3).vector(-2).with(Attributes.of("axis", 1L)).holds(folder);
    RuleCheck.of("Gather").x(2, 5).vector(0).with(Attributes.of("axis", -1L)).holds(folder);
  }
}

package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RmsNormRuleTest {

  @TempDir Path folder;

  @Test
  void inputAndScale() {
    RuleCheck.of("SimplifiedLayerNormalization")
        .x(2, 3, 8)
        .x(8)
        .with(Attributes.of("axis", -1L), Attributes.of("epsilon", 1e-2f))
        .holds(folder);
  }
}

package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SoftmaxRuleTest {

  @TempDir Path folder;

  @Test
  void oneAxis() {
    RuleCheck.of("Softmax").x(2, 3, 4).holds(folder);
    RuleCheck.of("Softmax").x(2, 3, 4).with(Attributes.of("axis", 1L)).holds(folder);
  }

  @Test
  void oldOperatorSetsTakeAllAxesFromOneOn() {
    RuleCheck.of("Softmax").opset(11).x(2, 3, 4).holds(folder);
    RuleCheck.of("Softmax").opset(12).x(2, 3, 4).with(Attributes.of("axis", -1L)).holds(folder);
  }
}

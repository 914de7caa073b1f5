package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LogSoftmaxRuleTest {

  @TempDir Path folder;

  @Test
  void oneAxis() {
    RuleCheck.of("LogSoftmax").x(2, 3, 4).holds(folder);
    RuleCheck.of("LogSoftmax").x(2, 3, 4).with(Attributes.of("axis", 1L)).holds(folder);
  }

  @Test
  void oldOperatorSetsTakeAllAxesFromOneOn() {
    RuleCheck.of("LogSoftmax").opset(11).x(2, 3, 4).holds(folder);
  }
}

package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MovementTest {

  @TempDir Path folder;

  @Test
  void newShapes() {
    RuleCheck.of("Reshape").x(2, 6).vector(3, -1).holds(folder);
    RuleCheck.of("Reshape").x(2, 3, 4).vector(0, -1).holds(folder);
    RuleCheck.of("Flatten").x(2, 3, 4).with(Attributes.of("axis", 2L)).holds(folder);
    RuleCheck.of("Identity").x(2, 3).holds(folder);
  }

  @Test
  void axesOfLengthOne() {
    RuleCheck.of("Squeeze").x(2, 1, 3).vector(1).holds(folder);
    RuleCheck.of("Unsqueeze").x(2, 3).vector(0, -1).holds(folder);
    RuleCheck.of("Squeeze").opset(11).x(2, 1, 3).with(Emitter.ints("axes", 1)).holds(folder);
    RuleCheck.of("Unsqueeze").opset(11).x(2, 3).with(Emitter.ints("axes", 1)).holds(folder);
  }

  @Test
  void permutedAxes() {
    RuleCheck.of("Transpose").x(2, 3, 4).with(Emitter.ints("perm", 2, 0, 1)).holds(folder);
    RuleCheck.of("Transpose").x(2, 3).holds(folder);
  }

  @Test
  void repeatedAxes() {
    RuleCheck.of("Expand").x(2, 1, 3).vector(2, 4, 1).holds(folder);
    RuleCheck.of("Expand").x(3).vector(2, 3).holds(folder);
  }

  @Test
  void otherTypes() {
    RuleCheck.of("Cast").x(2, 3).with(Attributes.of("to", 1L)).holds(folder);
  }
}

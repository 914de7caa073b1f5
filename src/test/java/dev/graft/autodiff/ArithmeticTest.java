package dev.graft.autodiff;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ArithmeticTest {

  @TempDir Path folder;

  @Test
  void equalShapes() {
    for (String operator : List.of("Add", "Sub", "Mul")) {
      RuleCheck.of(operator).x(2, 3).x(2, 3).holds(folder);
    }
    RuleCheck.of("Div").x(2, 3).x(v -> Math.abs(v) + 1, 2, 3).holds(folder);
    RuleCheck.of("Sum").x(2, 3).x(2, 3).x(2, 3).holds(folder);
  }

  @Test
  void broadcastInputsGetSums() {
    for (String operator : List.of("Add", "Sub", "Mul")) {
      RuleCheck.of(operator).x(2, 3, 4).x(4).holds(folder);
      RuleCheck.of(operator).x(3, 1).x(2, 1, 4).holds(folder);
      RuleCheck.of(operator).x(1, 3, 1).x(2, 3, 4).holds(folder);
      RuleCheck.of(operator).x().x(2, 3).holds(folder);
    }
    RuleCheck.of("Div").x(2, 1, 4).x(v -> Math.abs(v) + 1, 3, 1).holds(folder);
    RuleCheck.of("Sum").x(2, 3).x(3).x(2, 1).holds(folder);
  }

  @Test
  void broadcastSumsInOldOperatorSets() {
    RuleCheck.of("Mul").opset(11).x(2, 3, 4).x(3, 1).holds(folder);
  }

  @Test
  void constantsGetNothing() {
    RuleCheck.of("Mul").x(2, 3).constant(Doubles.vector(2, 3, 4)).holds(folder);
    RuleCheck.of("Div").constant(Doubles.scalar(2)).x(v -> Math.abs(v) + 1, 2, 3).holds(folder);
  }
}

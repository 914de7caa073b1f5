package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MatMulRuleTest {

  @TempDir Path folder;

  @Test
  void matricesAndStacks() {
    RuleCheck.of("MatMul").x(2, 3).x(3, 4).holds(folder);
    RuleCheck.of("MatMul").x(5, 2, 3).x(3, 4).holds(folder);
    RuleCheck.of("MatMul").x(2, 3).x(5, 3, 4).holds(folder);
    RuleCheck.of("MatMul").x(2, 5, 2, 3).x(2, 5, 3, 4).holds(folder);
    RuleCheck.of("MatMul").x(2, 1, 2, 3).x(5, 3, 4).holds(folder);
  }

  @Test
  void vectors() {
    RuleCheck.of("MatMul").x(3).x(3, 4).holds(folder);
    RuleCheck.of("MatMul").x(2, 3).x(3).holds(folder);
    RuleCheck.of("MatMul").x(3).x(3).holds(folder);
    RuleCheck.of("MatMul").x(5, 2, 3).x(3).holds(folder);
    RuleCheck.of("MatMul").x(3).x(5, 3, 4).holds(folder);
  }

  @Test
  void scaledAndTransposed() {
    for (long a : List.of(0L, 1L)) {
      for (long b : List.of(0L, 1L)) {
        RuleCheck.of("com.microsoft.FusedMatMul")
            .x(a == 0 ? new int[] {2, 3, 4} : new int[] {2, 4, 3})
            .x(b == 0 ? new int[] {2, 4, 5} : new int[] {2, 5, 4})
            .with(Attributes.of("transA", a), Attributes.of("transB", b))
            .with(Attributes.of("alpha", 0.5f))
            .holds(folder);
      }
    }
    RuleCheck.of("com.microsoft.FusedMatMul")
        .x(2, 3, 4)
        .x(5, 4)
        .with(Attributes.of("transB", 1L))
        .holds(folder);
  }
}

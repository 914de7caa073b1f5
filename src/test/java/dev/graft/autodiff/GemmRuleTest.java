package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class GemmRuleTest {

  @TempDir Path folder;

  @Test
  void everyOrientation() {
    for (long a : List.of(0L, 1L)) {
      for (long b : List.of(0L, 1L)) {
        RuleCheck.of("Gemm")
            .x(a == 0 ? new int[] {2, 3} : new int[] {3, 2})
            .x(b == 0 ? new int[] {3, 4} : new int[] {4, 3})
            .x(4)
            .with(Attributes.of("transA", a), Attributes.of("transB", b))
            .with(Attributes.of("alpha", 0.5f), Attributes.of("beta", 2f))
            .holds(folder);
      }
    }
  }

  @Test
  void withoutOrWithAnyBias() {
    RuleCheck.of("Gemm").x(2, 3).x(3, 4).holds(folder);
    RuleCheck.of("Gemm").x(2, 3).x(3, 4).x(2, 1).holds(folder);
    RuleCheck.of("Gemm").x(2, 3).x(3, 4).x(1).holds(folder);
  }
}

package dev.graft.autodiff;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.UnsupportedException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SliceRuleTest {

  @TempDir Path folder;

  @Test
  void oneAxis() {
    RuleCheck.of("Slice").x(2, 6, 3).vector(1).vector(4).vector(1).holds(folder);
    RuleCheck.of("Slice")
        .x(2, 6)
        .vector(-3)
        .vector(Long.MAX_VALUE)
        .vector(-1)
        .vector(1)
        .holds(folder);
    RuleCheck.of("Slice").x(2, 6).vector(0).vector(Long.MAX_VALUE).vector(1).holds(folder);
  }

  @Test
  void severalAxesAndSteps() {
    RuleCheck.of("Slice").x(4, 6).vector(1, 2).vector(3, 5).holds(folder);
    RuleCheck.of("Slice").x(2, 7).vector(1).vector(6).vector(1).vector(2).holds(folder);
  }

  @Test
  void refusesToWalkBackwards() {
    assertThatThrownBy(() ->
            RuleCheck.of("Slice").x(2, 5).vector(-1).vector(-6).vector(1).vector(-1).holds(folder))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("Slice 'node/y0' cannot be differentiated");
  }
}

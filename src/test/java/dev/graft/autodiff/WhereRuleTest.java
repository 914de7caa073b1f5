package dev.graft.autodiff;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class WhereRuleTest {

  @TempDir Path folder;

  @Test
  void eachSideGetsItsPart() {
    RuleCheck.of("Where").truth("true").x(2, 3).x(3).holds(folder);
    RuleCheck.of("Where").truth("false").x(2, 1).x(2, 3).holds(folder);
  }
}

package dev.graft.autodiff;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class GatherNdRuleTest {

  @TempDir Path folder;

  @Test
  void wholeRows() {
    RuleCheck.of("GatherND").x(4, 3).vector(2).holds(folder);
  }
}

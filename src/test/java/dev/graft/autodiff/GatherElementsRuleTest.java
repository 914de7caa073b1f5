package dev.graft.autodiff;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class GatherElementsRuleTest {

  @TempDir Path folder;

  @Test
  void indicesMayRepeat() {
    RuleCheck.of("GatherElements").x(4).vector(3, 0, 3).holds(folder);
  }
}

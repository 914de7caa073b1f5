package dev.graft.autodiff;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TileRuleTest {

  @TempDir Path folder;

  @Test
  void repeatsAreSummed() {
    RuleCheck.of("Tile").x(2, 3).vector(2, 3).holds(folder);
    RuleCheck.of("Tile").x(2, 3, 1).vector(1, 4, 2).holds(folder);
  }
}

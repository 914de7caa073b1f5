package dev.graft.autodiff;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ExtremeTest {

  @TempDir Path folder;

  @Test
  void eachElementGoesToTheExtremeOne() {
    for (String operator : List.of("Max", "Min")) {
      RuleCheck.of(operator).x(2, 3).x(2, 3).holds(folder);
    }
  }
}

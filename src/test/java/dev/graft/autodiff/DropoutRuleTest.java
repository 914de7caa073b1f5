package dev.graft.autodiff;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DropoutRuleTest {

  @TempDir Path folder;

  @Test
  void passesOnWhatIsNotInTraining() {
    RuleCheck.of("Dropout").x(2, 3).holds(folder);
    RuleCheck.of("Dropout").x(2, 3).constant(Doubles.scalar(0.3)).truth("false").holds(folder);
  }
}

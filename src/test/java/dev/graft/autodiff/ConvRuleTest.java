package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ConvRuleTest {

  @TempDir Path folder;

  @Test
  void stridesPadsDilationsAndGroups() {
    RuleCheck.of("Conv")
        .x(2, 2, 6, 5)
        .x(3, 2, 3, 3)
        .x(3)
        .with(Emitter.ints("pads", 1, 0, 1, 0), Emitter.ints("strides", 2, 1))
        .holds(folder);
    RuleCheck.of("Conv")
        .x(1, 4, 6, 6)
        .x(4, 2, 2, 2)
        .with(Attributes.of("group", 2L), Emitter.ints("dilations", 2, 1))
        .holds(folder);
  }
}

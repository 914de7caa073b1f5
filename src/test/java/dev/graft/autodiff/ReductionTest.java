package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ReductionTest {

  @TempDir Path folder;

  @Test
  void sumsAndMeansOverGivenAxes() {
    for (String operator : List.of("ReduceSum", "ReduceMean")) {
      RuleCheck.of(operator).opset(18).x(2, 3, 4).vector(1).holds(folder);
      RuleCheck.of(operator)
          .opset(18)
          .x(2, 3, 4)
          .vector(0, -1)
          .with(Attributes.of("keepdims", 0L))
          .holds(folder);
      RuleCheck.of(operator).opset(18).x(2, 3).holds(folder);
    }
  }

  @Test
  void axesAsAttributesOfOldOperatorSets() {
    for (String operator : List.of("ReduceSum", "ReduceMean", "ReduceL2", "ReduceMax")) {
      RuleCheck.of(operator)
          .opset(11)
          .x(2, 3, 4)
          .with(Emitter.ints("axes", -1), Attributes.of("keepdims", 0L))
          .holds(folder);
    }
  }

  @Test
  void otherReductions() {
    for (String operator :
        List.of("ReduceL2", "ReduceSumSquare", "ReduceLogSumExp", "ReduceMax", "ReduceMin")) {
      RuleCheck.of(operator).opset(18).x(2, 3, 4).vector(-1).holds(folder);
    }
  }
}

package dev.graft.match;

import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.onnx.StoredTensor;
import java.util.List;

/**
 * The way from an operator's input back to the stored weight.
 *
 * @param tensor the stored weight
 * @param transposes whether an odd number of Transposes lies between
 * @param quantised whether a DequantizeLinear lies between
 * @param values the values passed, the operator's own input first, the stored one last
 * @param steps the places that read those values, in the same order
 */
record WeightPath(
    StoredTensor tensor, Step transposes, Step quantised, List<Value> values, List<Use> steps) {

  /** Whether something lies on the way. */
  enum Step {
    ABSENT,
    PRESENT;

    Step flipped() {
      return this == ABSENT ? PRESENT : ABSENT;
    }
  }

  /** The value that holds the stored weight. */
  Value root() {
    return values.getLast();
  }
}

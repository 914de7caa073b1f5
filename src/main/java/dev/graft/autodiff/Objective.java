package dev.graft.autodiff;

import dev.graft.onnx.proto.ModelProto;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * What is to be differentiated with respect to what.
 *
 * @param model the forward graph with its loss, in memory. Frozen weights may be initializers whose
 *     data lies in a file: their values are never read. Shapes of graph inputs may have symbolic
 *     dimensions; a name stands for the same length wherever it appears
 * @param loss a scalar float value of the main graph (one element, of rank 0 or with lengths of 1)
 * @param trainable names of the initializers or graph inputs of the main graph whose gradients are
 *     wanted; each of a float type and of a shape that is known
 */
public record Objective(ModelProto model, String loss, List<String> trainable) {

  /** Checks that no name comes twice. */
  public Objective {
    trainable = List.copyOf(trainable);
    if (new LinkedHashSet<>(trainable).size() < trainable.size()) {
      throw new IllegalArgumentException("a trainable tensor is named twice: " + trainable);
    }
  }
}

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
 * @param activations where the gradient has the forward pass's values from
 */
public record Objective(
    ModelProto model, String loss, List<String> trainable, Activations activations) {

  /** Where the gradient has the forward pass's values from. */
  public enum Activations {
    /** They are kept until they have been read. */
    KEPT,
    /** Blocks of the graph are computed a second time, so that little is kept. */
    RECOMPUTED
  }

  /** Keeps activations. */
  public Objective(ModelProto model, String loss, List<String> trainable) {
    this(model, loss, trainable, Activations.KEPT);
  }

  /** Checks that no name comes twice. */
  public Objective {
    trainable = List.copyOf(trainable);
    if (new LinkedHashSet<>(trainable).size() < trainable.size()) {
      throw new IllegalArgumentException("a trainable tensor is named twice: " + trainable);
    }
  }
}

package dev.graft.autodiff;

import dev.graft.onnx.proto.ModelProto;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * A forward graph with the nodes that compute the gradients of its loss.
 *
 * @param model the forward nodes, fused and lowered as far as that is faster to differentiate,
 *     followed by the gradient nodes. Graph inputs and outputs are the forward graph's; the
 *     gradients are plain values, declared as outputs by whoever wants them so. Trainable
 *     initializers stay initializers, trainable inputs inputs. A graph of half-precision floats
 *     computes in float32 here, and its outputs are float32, while its weights and inputs stay what
 *     they are. The operator sets are those of the forward graph, with {@code com.microsoft} in its
 *     first version beside them
 * @param gradients for each trainable tensor, in the order of the objective, the value that is the
 *     derivative of the loss with respect to it, of its type and shape. The value is called {@code
 *     NAME_grad} after the tensor NAME, as ONNX Runtime Training expects
 */
public record GradientGraph(ModelProto model, SequencedMap<String, String> gradients) {

  /** Makes the map unmodifiable. */
  public GradientGraph {
    gradients = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(gradients));
  }
}

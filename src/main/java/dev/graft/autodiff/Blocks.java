package dev.graft.autodiff;

import dev.graft.onnx.proto.NodeProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The blocks of a forward graph: runs of nodes, one after the other, that hand on a single value of
 * the path from the trainable tensors to the loss. In a Transformer these are the attention and the
 * feed-forward part of each layer, and what they hand on is the residual stream.
 *
 * @param ofNodes the block of each node, in the order of the nodes; {@link #NONE} for those behind
 *     the last block, whose gradient comes first
 */
record Blocks(List<Integer> ofNodes) {

  /** Stands for no block. */
  static final int NONE = -1;

  /** A block of fewer products would keep nearly as much as it saves. */
  private static final int PRODUCTS = 2;

  private static final Set<String> PRODUCT =
      Set.of("MatMul", "Gemm", "Conv", "com.microsoft.FusedMatMul");

  /**
   * Finds the blocks.
   *
   * @param nodes the forward nodes in an order in which they can run
   * @param isOnPath whether a value lies between a trainable tensor and the loss
   */
  static Blocks of(List<NodeProto> nodes, Predicate<String> isOnPath) {
    Map<String, Integer> lastReaders = lastReaders(nodes);
    List<Integer> ofNodes = new ArrayList<>();
    Set<String> open = new HashSet<>();
    int block = 0;
    int begin = 0;
    int products = 0;
    for (int i = 0; i < nodes.size(); i++) {
      NodeProto node = nodes.get(i);
      products += PRODUCT.contains(OpNode.operator(node)) ? 1 : 0;
      node.getOutputList().stream().filter(isOnPath).forEach(open::add);
      int place = i;
      open.removeIf(value -> lastReaders.getOrDefault(value, Integer.MAX_VALUE) <= place);
      if (open.size() == 1 && products >= PRODUCTS) {
        while (ofNodes.size() <= i) {
          ofNodes.add(block);
        }
        block++;
        begin = i + 1;
        products = 0;
      }
    }
    for (int i = begin; i < nodes.size(); i++) {
      ofNodes.add(NONE);
    }
    return new Blocks(List.copyOf(ofNodes));
  }

  private static Map<String, Integer> lastReaders(List<NodeProto> nodes) {
    Map<String, Integer> last = new HashMap<>();
    for (int i = 0; i < nodes.size(); i++) {
      for (String input : Order.reads(nodes.get(i))) {
        last.put(input, i);
      }
    }
    return last;
  }
}

package dev.graft.match;

import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.onnx.StoredTensor;
import java.util.List;

/**
 * A stored weight that a target acts on.
 *
 * @param tensor the weight
 * @param twins the tensors that are the very same bytes, itself included; all of them change with
 *     it
 * @param roots the values among them that the target reads
 * @param readers the operators' inputs that read it for this target
 * @param split what must read a copy of its own instead, because others read the same bytes; empty
 *     if the stored weight itself can change
 */
public record Spot(
    StoredTensor tensor,
    List<StoredTensor> twins,
    List<Value> roots,
    List<Reading> readers,
    List<Use> split) {

  /** Keeps own copies. */
  public Spot {
    twins = List.copyOf(twins);
    roots = List.copyOf(roots);
    readers = List.copyOf(readers);
    split = List.copyOf(split);
  }

  /** The weight and its readers, with nobody sent to a copy. */
  static Spot of(StoredTensor tensor, Value root, List<Reading> readers) {
    return new Spot(tensor, List.of(tensor), List.of(root), readers, List.of());
  }

  /** The same with a copy for some readings. */
  Spot splitBy(List<Use> moved) {
    return new Spot(tensor, twins, roots, readers, moved);
  }

  /** The first of the tensors on the same bytes, which stands for all of them. */
  public StoredTensor home() {
    return twins.getFirst();
  }

  /** Whether the target needs a copy of its own. */
  public boolean isSplit() {
    return !split.isEmpty();
  }
}

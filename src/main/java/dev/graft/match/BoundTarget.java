package dev.graft.match;

import dev.graft.adapter.LoraPair;
import dev.graft.adapter.Replacement;
import dev.graft.graph.GraphNode;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.onnx.StoredTensor;
import java.util.List;

/** An adapter's target that has found its place in the file. */
public sealed interface BoundTarget {

  /** The adapter's name for it. */
  String name();

  /** Where and by which rule. */
  Place place();

  /** The same target on another place. */
  BoundTarget on(Place other);

  /**
   * A place in the file.
   *
   * @param tensor the stored weight
   * @param rule the rule that found it
   * @param root the value that the stored weight is
   * @param readers the operators' inputs that read it for this target
   * @param split the readings that must go to a copy of their own, because others read the same
   *     bytes; empty if the stored weight itself can change
   */
  record Place(StoredTensor tensor, NameRule rule, Value root, List<Use> readers, List<Use> split) {

    /** The same place with a copy of its own for some readings. */
    Place splitBy(List<Use> moved) {
      return new Place(tensor, rule, root, readers, moved);
    }

    /** The operators that read the weight for this target. */
    public List<GraphNode> nodes() {
      return readers.stream().map(Use::node).toList();
    }

    /** Whether the target needs a copy of its own. */
    public boolean isSplit() {
      return !split.isEmpty();
    }
  }

  /**
   * A low-rank pair on a weight.
   *
   * @param pair the adapter's tensors
   * @param place where they act
   * @param kind what the operator does with the weight
   * @param layout how the stored weight is turned
   * @param alpha the operator's own factor on the product, which the change must be divided by
   */
  record Lora(LoraPair pair, Place place, Site.Kind kind, Layout layout, float alpha)
      implements BoundTarget {
    @Override
    public String name() {
      return pair.module();
    }

    @Override
    public Lora on(Place other) {
      return new Lora(pair, other, kind, layout, alpha);
    }
  }

  /**
   * A whole tensor for a parameter.
   *
   * @param replacement the adapter's tensor
   * @param place what it replaces
   * @param turn how it goes in
   */
  record Whole(Replacement replacement, Place place, Turn turn) implements BoundTarget {
    @Override
    public String name() {
      return replacement.parameter();
    }

    @Override
    public Whole on(Place other) {
      return new Whole(replacement, other, turn);
    }
  }
}

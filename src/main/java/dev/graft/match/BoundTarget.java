package dev.graft.match;

import dev.graft.adapter.LoraPair;
import dev.graft.adapter.Replacement;
import dev.graft.graph.GraphNode;
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
   * @param rule the rule that found it
   * @param spots the stored weights; more than one where the file holds the module several times,
   *     say in both branches of an If. Their values are the same
   */
  record Place(NameRule rule, List<Spot> spots) {

    /** Keeps an own copy. */
    public Place {
      spots = List.copyOf(spots);
    }

    /** The stored weight, the first of them if there are several. */
    public StoredTensor tensor() {
      return spots.getFirst().tensor();
    }

    /** The operators that read the weight for this target. */
    public List<GraphNode> nodes() {
      return spots.stream()
          .flatMap(s -> s.readers().stream())
          .map(Reading::node)
          .distinct()
          .toList();
    }

    /** Whether the target needs a copy of its own. */
    public boolean isSplit() {
      return spots.stream().anyMatch(Spot::isSplit);
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

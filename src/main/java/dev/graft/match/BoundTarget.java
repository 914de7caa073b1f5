package dev.graft.match;

import dev.graft.adapter.LoraPair;
import dev.graft.adapter.Replacement;
import dev.graft.adapter.Scaling;
import dev.graft.adapter.TokenRows;
import dev.graft.graph.GraphNode;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.Shape;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** An adapter's target that has found its place in the file. */
public sealed interface BoundTarget {

  /** The adapter's name for it. */
  String name();

  /** How reports call it; with the parameter where the adapter has several of one name. */
  default String label() {
    return name();
  }

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
   * @param outputs the weights' outputs that are the target's; all of them unless the file packs
   *     several modules into one weight
   * @param gap what the graph has to get first, if it has no such weight; there are no spots then
   */
  record Place(NameRule rule, List<Spot> spots, OutputRange outputs, Optional<Gap> gap) {

    /** A place on stored weights. */
    Place(NameRule rule, List<Spot> spots, OutputRange outputs) {
      this(rule, spots, outputs, Optional.empty());
    }

    /** A place that is a weight of its own. */
    static Place whole(NameRule rule, List<Spot> spots) {
      return new Place(rule, spots, OutputRange.ALL);
    }

    /** A place that the graph does not have yet. */
    static Place missing(NameRule rule, Gap gap) {
      return new Place(rule, List.of(), OutputRange.ALL, Optional.of(gap));
    }

    /** The same with other spots. */
    Place on(List<Spot> others) {
      return new Place(rule, others, outputs, gap);
    }

    /** Keeps an own copy. */
    public Place {
      spots = List.copyOf(spots);
    }

    /** The stored weight, the first of them if there are several; there is none in a gap. */
    public StoredTensor tensor() {
      return spots.getFirst().tensor();
    }

    /** The operators that read the weight for this target, or that it is put to. */
    public List<GraphNode> nodes() {
      return Stream.concat(
              spots.stream().flatMap(s -> s.readers().stream()).map(Reading::node),
              gap.stream().flatMap(g -> g.openings().stream()).map(Opening::node))
          .distinct()
          .toList();
    }

    /** Whether the target needs a copy of its own. */
    public boolean isSplit() {
      return spots.stream().anyMatch(Spot::isSplit);
    }
  }

  /**
   * What an operator does with a weight.
   *
   * @param kind what kind of product
   * @param layout how the stored weight is turned; a convolution's kernel counts as a matrix {@code
   *     [out, in · k..]}, an embedding's table {@code [rows, width]} as {@code [in, out]}
   * @param alpha the operator's own factor on the product, which a change must be divided by
   * @param shape the dimensions of the matrix or kernel that the operator sees, in its layout
   */
  record Operation(Site.Kind kind, Layout layout, float alpha, Shape shape) {}

  /**
   * A low-rank pair on a weight.
   *
   * @param pair the adapter's tensors
   * @param pairOutputs the pair's outputs that go here; all of them unless the file splits the
   *     module over several weights
   * @param place where they act
   * @param operation what the operator does with the weight
   */
  record Lora(LoraPair pair, OutputRange pairOutputs, Place place, Operation operation)
      implements BoundTarget {
    @Override
    public String name() {
      return pair.module();
    }

    @Override
    public Lora on(Place other) {
      return new Lora(pair, pairOutputs, other, operation);
    }

    /** How the stored weight is turned. */
    public Layout layout() {
      return operation.layout();
    }

    /** The operator's own factor on the product. */
    public float alpha() {
      return operation.alpha();
    }
  }

  /**
   * A parameter that was targeted directly.
   *
   * @param name its name within its module
   * @param scaling rank and strength by the configuration
   */
  record Parameter(String name, Scaling scaling) {}

  /**
   * A low-rank product for every expert of a parameter {@code [experts, .., ..]}, or for a matrix.
   *
   * @param pair the adapter's tensors
   * @param parameter what the pair is for
   * @param place where they act
   * @param layout how each expert's matrix is turned
   */
  record Experts(LoraPair pair, Parameter parameter, Place place, Layout layout)
      implements BoundTarget {
    @Override
    public String name() {
      return pair.module();
    }

    @Override
    public String label() {
      return name() + "." + parameter.name();
    }

    @Override
    public Experts on(Place other) {
      return new Experts(pair, parameter, other, layout);
    }
  }

  /**
   * Rows of a token table.
   *
   * @param rows the adapter's rows
   * @param place where they go
   * @param layout {@code OUT_IN} if the stored rows are the table's, {@code IN_OUT} if its columns
   *     are
   */
  record Rows(TokenRows rows, Place place, Layout layout) implements BoundTarget {
    @Override
    public String name() {
      return rows.module();
    }

    @Override
    public Rows on(Place other) {
      return new Rows(rows, other, layout);
    }
  }

  /**
   * A whole tensor for a parameter.
   *
   * @param replacement the adapter's tensor
   * @param valueOutputs the tensor's outputs that go here; all of them unless the file splits the
   *     module over several weights
   * @param place what it replaces
   * @param turn how it goes in
   */
  record Whole(Replacement replacement, OutputRange valueOutputs, Place place, Turn turn)
      implements BoundTarget {
    @Override
    public String name() {
      return replacement.parameter();
    }

    @Override
    public Whole on(Place other) {
      return new Whole(replacement, valueOutputs, other, turn);
    }
  }

  /**
   * What {@code lora_bias} adds to a module's bias: the bias of B times the pair's scale.
   *
   * @param pair the adapter's tensors
   * @param pairOutputs the pair's outputs that go here
   * @param place the bias
   * @param factor the operator's own factor on the bias, which the change must be divided by
   */
  record Shift(LoraPair pair, OutputRange pairOutputs, Place place, float factor)
      implements BoundTarget {
    @Override
    public String name() {
      return biasOf(pair);
    }

    @Override
    public Shift on(Place other) {
      return new Shift(pair, pairOutputs, other, factor);
    }

    /** The adapter's name for the bias of a pair's module. */
    static String biasOf(LoraPair pair) {
      return pair.module().isEmpty() ? "bias" : pair.module() + ".bias";
    }
  }
}

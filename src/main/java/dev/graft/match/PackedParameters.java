package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.match.Miss.Cause;
import dev.graft.match.PackedAnswer.Piece;
import dev.graft.match.ParameterResolver.Found;
import dev.graft.match.ParameterResolver.Outcome;
import dev.graft.match.ParameterResolver.Wanted;
import dev.graft.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds the places of whole weights and biases of modules that the file packs into one or splits
 * over several.
 */
final class PackedParameters {

  /** The inputs of a fused attention are query, key and value, then their bias. */
  private static final int VALUE = 2;

  private static final int ATTENTION_BIAS = 3;
  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";

  private final SiteIndex index;
  private final ParameterResolver parameters;
  private final PackedResolver packed;
  private final WeightTracer tracer;

  PackedParameters(SiteIndex index, ParameterResolver parameters, PackedResolver packed) {
    this.index = index;
    this.parameters = parameters;
    this.packed = packed;
    this.tracer = new WeightTracer(index.graph());
  }

  /**
   * A stored tensor that holds some of a parameter.
   *
   * @param outcome the tensor, or what the graph lacks
   * @param rule how it was found, if not as the outcome says
   * @param ofTensor the tensor's outputs that are the parameter's
   * @param ofValue the parameter's outputs that are there
   */
  record Share(
      Outcome outcome, Optional<NameRule> rule, OutputRange ofTensor, OutputRange ofValue) {

    /** All of a parameter on all of a tensor. */
    static Share whole(Outcome outcome) {
      return new Share(outcome, Optional.empty(), OutputRange.ALL, OutputRange.ALL);
    }
  }

  /**
   * Where a parameter is, or why it is nowhere; neither if packing has nothing to do with it.
   *
   * @param shares the tensors that hold it
   * @param problem why there are none
   */
  record Answer(List<Share> shares, Optional<Miss> problem) {
    static final Answer NOTHING = new Answer(List.of(), Optional.empty());
  }

  /** Looks a parameter up that the file does not have under its own name. */
  Answer find(Wanted wanted) {
    Optional<Wanted> parameter = plainly(wanted);
    if (parameter.isEmpty() || wanted.mapped().isPresent() || wanted.needed().shape().rank() == 0) {
      return Answer.NOTHING;
    }
    Wanted plain = parameter.get();
    Optional<Share> fused = plain.isBias() ? inAttention(plain) : Optional.empty();
    if (fused.isPresent()) {
      return new Answer(List.of(fused.get()), Optional.empty());
    }
    String module = plain.module(plain.name());
    ModuleResolver.Found own = parameters.linear(module);
    if (!own.sites().isEmpty()) {
      boolean isRenamed = !plain.name().equals(wanted.name());
      return isRenamed
          ? shares(plain, List.of(Piece.whole(module, own, own.rule())))
          : Answer.NOTHING;
    }
    PackedAnswer answer = packed.find(module, wanted.needed().shape().dim(0));
    return answer.pieces().isEmpty()
        ? new Answer(List.of(), answer.problem())
        : shares(plain, answer.pieces());
  }

  /** The parameter as one of a linear layer; an attention's packed projection has its own names. */
  private static Optional<Wanted> plainly(Wanted wanted) {
    String name = wanted.name();
    if (name.endsWith(WEIGHT) || name.endsWith(BIAS)) {
      return Optional.of(wanted);
    }
    return name.endsWith("in_proj_weight") || name.endsWith("in_proj_bias")
        ? Optional.of(
            wanted.called(
                name.substring(0, name.lastIndexOf('_'))
                    + '.'
                    + name.substring(name.lastIndexOf('_') + 1)))
        : Optional.empty();
  }

  private Answer shares(Wanted wanted, List<Piece> pieces) {
    List<Share> shares = new ArrayList<>();
    for (Piece piece : pieces) {
      String leaf = wanted.isBias() ? BIAS : WEIGHT;
      Wanted ofPiece =
          wanted.called(piece.name() + leaf).shaped(shape(wanted.needed().shape(), piece));
      Outcome outcome = parameters.findAt(piece.found(), ofPiece);
      Optional<Miss> problem = problem(wanted, piece, outcome);
      if (problem.isPresent()) {
        return new Answer(List.of(), problem);
      }
      shares.add(new Share(outcome, Optional.of(piece.rule()), piece.ofWeight(), piece.ofModule()));
    }
    return new Answer(List.copyOf(shares), Optional.empty());
  }

  private static Optional<Miss> problem(Wanted wanted, Piece piece, Outcome outcome) {
    boolean isProved = outcome.found().isPresent() || outcome.gap().isPresent();
    if (!isProved || !outcome.problem().isEmpty()) {
      return Optional.of(
          new Miss(wanted.parameter(), outcome.problem(), List.of(), outcome.cause()));
    }
    return outcome.gap().isPresent() && !piece.ofWeight().isAll()
        ? Optional.of(
            new Miss(
                wanted.parameter(),
                "the graph adds no bias to '%s', which packs it with others"
                    .formatted(piece.found().first().tensor().label()),
                List.of(),
                Cause.UNSUPPORTED))
        : Optional.empty();
  }

  /** The shape of the whole tensor that a piece of the parameter is in. */
  private static Shape shape(Shape value, Piece piece) {
    long[] dims = value.toArray();
    Site site = piece.found().first();
    boolean isCounted = site.kind() == Site.Kind.LINEAR;
    if (isCounted && !(piece.ofWeight().isAll() && piece.ofModule().isAll())) {
      dims[0] = PackedWeight.outputs(site);
    }
    return Shape.of(dims);
  }

  /**
   * The bias of a query, key or value in the vector that a fused attention adds to all three: their
   * weights are still one by one.
   */
  private Optional<Share> inAttention(Wanted wanted) {
    ModuleResolver.Found module = parameters.linear(wanted.module(wanted.name()));
    if (module.sites().isEmpty() || module.first().kind() != Site.Kind.LINEAR) {
      return Optional.empty();
    }
    List<Use> uses = module.sites().stream().flatMap(s -> attention(s.node()).stream()).toList();
    if (uses.size() != module.sites().size()) {
      return Optional.empty();
    }
    long width = PackedWeight.outputs(module.first());
    List<WeightPath> paths =
        uses.stream()
            .flatMap(u -> tracer.trace(u.node(), ATTENTION_BIAS).stream())
            .filter(p -> p.tensor().shape().rank() == 1)
            .toList();
    int input = uses.getFirst().input();
    boolean alike = uses.stream().allMatch(u -> u.input() == input) && paths.size() == uses.size();
    if (!alike || wanted.needed().shape().elements() != width) {
      return Optional.empty();
    }
    long total = paths.getFirst().tensor().shape().elements();
    Found found = new Found(Spots.of(paths), NameRule.PACKED, Turn.AS_IS);
    return range(input, width, total)
        .map(range -> new Share(Outcome.of(found), Optional.empty(), range, OutputRange.ALL));
  }

  /**
   * Where in the bias of a fused attention one of its three inputs begins: query and key are of one
   * width, the value takes the rest.
   */
  private static Optional<OutputRange> range(int input, long width, long total) {
    boolean isValue = input == VALUE;
    long ofQuery = isValue ? (total - width) / 2 : width;
    long ofValue = isValue ? width : total - 2 * width;
    boolean fits = ofQuery > 0 && ofValue > 0 && 2 * ofQuery + ofValue == total;
    return fits ? Optional.of(new OutputRange(input * ofQuery, width)) : Optional.empty();
  }

  /** The fused attention that is the only reader of a product. */
  private Optional<Use> attention(GraphNode product) {
    List<Use> readers =
        product
            .output()
            .map(o -> index.graph().uses(new Value(product.scope(), o)))
            .orElse(List.of());
    return readers.size() == 1
            && AttentionOps.isMultiHead(readers.getFirst().node())
            && readers.getFirst().input() <= VALUE
            && !AttentionOps.isPacked(readers.getFirst().node(), readers.getFirst().input())
        ? Optional.of(readers.getFirst())
        : Optional.empty();
  }
}

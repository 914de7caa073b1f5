package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.Use;
import dev.graft.match.Miss.Cause;
import dev.graft.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finds the scale and the shift of a normalisation by its module, where equal values made the
 * exporter keep one tensor under another module's name, or none.
 */
final class NormFinder {

  /** The inputs of an operator that are a norm's parameters; -1 for a shift that it cannot have. */
  private record Inputs(int scale, int shift) {}

  private static final Map<String, Inputs> OPERATORS =
      Map.of(
          "LayerNormalization", new Inputs(1, 2),
          "SimplifiedLayerNormalization", new Inputs(1, -1),
          "RMSNormalization", new Inputs(1, -1),
          "BatchNormalization", new Inputs(1, 2),
          "com.microsoft.SkipLayerNormalization", new Inputs(2, 3),
          "com.microsoft.SkipSimplifiedLayerNormalization", new Inputs(2, -1));

  private final SiteIndex index;
  private final RepeatedCalls calls;
  private final WeightTracer tracer;

  NormFinder(SiteIndex index, RepeatedCalls calls) {
    this.index = index;
    this.calls = calls;
    this.tracer = new WeightTracer(index.graph());
  }

  /** Whether an operator is a whole norm. */
  static boolean isOperator(GraphNode node) {
    return OPERATORS.containsKey(node.operator());
  }

  /**
   * A parameter of a norm.
   *
   * @param module the file's name for the norm
   * @param leaf {@code weight} or {@code bias}
   * @param shape PyTorch's shape
   */
  record Wanted(String module, String leaf, Shape shape) {
    boolean isBias() {
      return leaf.equals("bias");
    }
  }

  /**
   * Looks a parameter up.
   *
   * @return empty if the module is no norm
   */
  Optional<ParameterResolver.Outcome> find(Wanted wanted) {
    List<GraphNode> own = index.nodes().of(wanted.module(), calls);
    List<GraphNode> norms = own.stream().filter(NormFinder::isOperator).toList();
    if (!norms.isEmpty()) {
      return Optional.of(ofOperators(norms, wanted));
    }
    return own.stream().anyMatch(n -> n.operator().startsWith("Reduce"))
        ? Optional.of(ofParts(own, wanted))
        : Optional.empty();
  }

  private ParameterResolver.Outcome ofOperators(List<GraphNode> norms, Wanted wanted) {
    List<Use> uses = new ArrayList<>();
    for (GraphNode node : norms) {
      Inputs inputs = OPERATORS.getOrDefault(node.operator(), new Inputs(-1, -1));
      int input = wanted.isBias() ? inputs.shift() : inputs.scale();
      if (input < 0) {
        return ParameterResolver.Outcome.none(node + " has no shift", Cause.NO_FIT);
      }
      uses.add(new Use(node, input));
    }
    boolean lacks = uses.stream().noneMatch(u -> u.node().input(u.input()).isPresent());
    boolean mayLack =
        uses.stream().noneMatch(u -> u.node().operator().equals("BatchNormalization"));
    if (wanted.isBias() && lacks && mayLack) {
      return gap(
          uses.stream().<Opening>map(u -> new Opening.Operand(u.node(), u.input())).toList(),
          wanted);
    }
    return stored(uses, wanted);
  }

  /**
   * A norm that the exporter spelled out: a Mul by the scale, and an Add of the shift behind it.
   */
  private ParameterResolver.Outcome ofParts(List<GraphNode> own, Wanted wanted) {
    List<Use> scales = vectors(own, "Mul", wanted.shape());
    List<Use> shifts = vectors(own, "Add", wanted.shape());
    if (!wanted.isBias()) {
      return scales.isEmpty()
          ? ParameterResolver.Outcome.none(
              "the graph multiplies with no stored scale in '%s'".formatted(wanted.module()),
              Cause.UNSUPPORTED)
          : stored(scales, wanted);
    }
    if (!shifts.isEmpty()) {
      return stored(shifts, wanted);
    }
    return scales.isEmpty()
        ? ParameterResolver.Outcome.none(
            "the graph has neither a scale nor a shift in '%s' that tells where its result is"
                .formatted(wanted.module()),
            Cause.UNSUPPORTED)
        : gap(scales.stream().<Opening>map(u -> new Opening.Addend(u.node())).toList(), wanted);
  }

  private List<Use> vectors(List<GraphNode> own, String operator, Shape shape) {
    List<Use> found = new ArrayList<>();
    for (GraphNode node : own) {
      for (int i = 0; node.operator().equals(operator) && i < node.inputs().size(); i++) {
        if (tracer.trace(node, i).stream().anyMatch(p -> p.tensor().shape().equals(shape))) {
          found.add(new Use(node, i));
        }
      }
    }
    return found;
  }

  private ParameterResolver.Outcome gap(List<Opening> openings, Wanted wanted) {
    boolean inFunction = openings.stream().anyMatch(o -> o.node().scope().function().isPresent());
    if (inFunction) {
      return ParameterResolver.Outcome.none(
          openings.getFirst().node()
              + " adds none and lies in a model-local function, which has no initializers;"
              + " inline the functions first (onnx.inliner.inline_local_functions)",
          Cause.UNSUPPORTED);
    }
    GraphNode node = openings.getFirst().node();
    if (node.output().isEmpty()) {
      return ParameterResolver.Outcome.none(
          node + " has no output, so its bias would act on nothing", Cause.UNSUPPORTED);
    }
    for (int i = 0; i < node.inputs().size(); i++) {
      for (WeightPath path : tracer.trace(node, i)) {
        if (path.tensor().shape().equals(wanted.shape()) && path.tensor().dtype().isFoldable()) {
          return ParameterResolver.Outcome.missing(
              new Gap(
                  wanted.module() + ".bias",
                  path.tensor().dtype(),
                  wanted.shape().elements(),
                  openings));
        }
      }
    }
    return ParameterResolver.Outcome.none(
        node + " has no scale of the bias's shape " + wanted.shape(), Cause.NO_FIT);
  }

  private ParameterResolver.Outcome stored(List<Use> uses, Wanted wanted) {
    List<WeightPath> paths = new ArrayList<>();
    for (Use use : uses) {
      List<WeightPath> traced = tracer.trace(use.node(), use.input());
      if (traced.isEmpty()) {
        return ParameterResolver.Outcome.none(
            use.node() + " reads no stored " + wanted.leaf(), Cause.NO_FIT);
      }
      paths.addAll(traced);
    }
    for (WeightPath path : paths) {
      if (!isPlain(path, wanted)) {
        return ParameterResolver.Outcome.none(
            "%s reads the constant '%s', which the exporter computed; it may be 1 + %s, as in Gemma's norms"
                .formatted(path.reading().node(), path.tensor().label(), wanted.leaf()),
            Cause.UNSUPPORTED);
      }
    }
    List<Spot> spots = Spots.of(paths);
    if (spots.stream().anyMatch(s -> !index.bytes().same(s.tensor(), spots.getFirst().tensor()))) {
      return ParameterResolver.Outcome.none(
          "its operators read different tensors: "
              + spots.stream().map(s -> s.tensor().label()).limit(4).toList(),
          Cause.NO_FIT);
    }
    return ParameterResolver.Outcome.of(
        new ParameterResolver.Found(spots, NameRule.NORM_OF_MODULE, Turn.AS_IS));
  }

  /**
   * Whether a stored value is a parameter as it was, and not computed from one. The layers of
   * PyTorch multiply with their weight; a root-mean-square norm may be anybody's, and then only a
   * parameter's name tells.
   */
  private static boolean isPlain(WeightPath path, Wanted wanted) {
    String operator = path.reading().node().operator();
    boolean isPyTorchs =
        (operator.endsWith("LayerNormalization") && !operator.contains("Simplified"))
            || operator.equals("BatchNormalization");
    return isPyTorchs
        || path.values().stream().anyMatch(v -> v.name().endsWith("." + wanted.leaf()));
  }
}

package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds what a module adds to its product, where the tensor has lost its name: the third input of
 * the operator itself, the module's own Add behind it, or the operator that an optimiser moved the
 * bias into.
 */
final class BiasFinder {

  private final SiteIndex index;
  private final RepeatedCalls calls;
  private final WeightTracer tracer;
  private final BiasAbsence absence;

  BiasFinder(SiteIndex index, RepeatedCalls calls) {
    this.index = index;
    this.calls = calls;
    this.tracer = new WeightTracer(index.graph());
    this.absence = new BiasAbsence(index, calls, tracer);
  }

  /** Where the bias of a module's sites is, all of them together. */
  BiasPlace find(List<Site> sites, String module) {
    List<WeightPath> paths = new ArrayList<>();
    List<Opening> openings = new ArrayList<>();
    List<Float> factors = new ArrayList<>();
    Optional<String> doubt = Optional.empty();
    for (Site site : sites) {
      switch (find(site, module)) {
        case BiasPlace.Stored stored -> {
          paths.addAll(stored.paths());
          factors.add(stored.factor());
        }
        case BiasPlace.Missing missing -> {
          openings.addAll(missing.openings());
          factors.add(missing.factor());
          doubt = doubt.or(missing::doubt);
        }
        case BiasPlace.Unclear unclear -> {
          return unclear;
        }
      }
    }
    if (!paths.isEmpty() && !openings.isEmpty()) {
      return new BiasPlace.Unclear("some of its operators add a bias and others do not");
    }
    if (factors.stream().distinct().count() > 1) {
      return new BiasPlace.Unclear("its operators multiply the bias with different factors (beta)");
    }
    return paths.isEmpty()
        ? new BiasPlace.Missing(openings, factors.getFirst(), doubt)
        : new BiasPlace.Stored(paths, factors.getFirst());
  }

  private BiasPlace find(Site site, String module) {
    GraphNode node = site.node();
    if (site.kind() == Site.Kind.LINEAR && site.reading().use().input() == 0) {
      return new BiasPlace.Unclear(
          node + " multiplies with the weight on the left, where a bias would be a column");
    }
    return switch (node.operator()) {
      case "Gemm", "com.microsoft.FusedGemm" -> gemm(site, module);
      case "Conv", "com.microsoft.FusedConv" ->
          node.input(2).isPresent() ? operand(site, new Use(node, 2), 1f) : open(site, module);
      case "com.microsoft.Attention", "com.microsoft.PackedAttention" ->
          node.input(2).isPresent()
              ? operand(site, new Use(node, 2), 1f)
              : new BiasPlace.Unclear(
                  node + " has no bias, and behind it there is no place for one");
      default -> behind(site, module).orElseGet(() -> open(site, module));
    };
  }

  private BiasPlace gemm(Site site, String module) {
    GraphNode node = site.node();
    float beta = node.floatAttribute("beta", 1f);
    boolean acts = beta != 0 && Float.isFinite(beta);
    if (node.input(2).isPresent()) {
      return acts
          ? operand(site, new Use(node, 2), beta)
          : new BiasPlace.Unclear(node + " has beta " + beta + ", so no bias acts");
    }
    boolean isPlain = node.operator().equals("Gemm");
    Optional<BiasPlace> moved = isPlain ? behind(site, module) : Optional.empty();
    return moved.orElseGet(() ->
        acts
            ? open(site, new Opening.Operand(node, 2), beta, module)
            : isPlain
                ? open(site, new Opening.Addend(node), 1f, module)
                : new BiasPlace.Unclear(node + " has beta " + beta + ", so no bias acts"));
  }

  private BiasPlace open(Site site, String module) {
    Opening opening =
        site.kind() == Site.Kind.CONV
            ? new Opening.Operand(site.node(), 2)
            : new Opening.Addend(site.node());
    return open(site, opening, 1f, module);
  }

  private BiasPlace open(Site site, Opening opening, float factor, String module) {
    GraphNode node = opening.node();
    if (node.scope().function().isPresent()) {
      return new BiasPlace.Unclear(
          node
              + " adds none and lies in a model-local function, which has no initializers;"
              + " inline the functions first (onnx.inliner.inline_local_functions)");
    }
    if (node.output().isEmpty()) {
      return new BiasPlace.Unclear(node + " has no output, so its bias would act on nothing");
    }
    return new BiasPlace.Missing(List.of(opening), factor, absence.doubt(site, module));
  }

  /** What an operator's input adds, which must be a stored vector. */
  private BiasPlace operand(Site site, Use use, float factor) {
    return stored(site, use)
        .<BiasPlace>map(path -> new BiasPlace.Stored(List.of(path), factor))
        .orElseGet(() -> new BiasPlace.Unclear(use.node() + " adds a bias that is not stored"));
  }

  private Optional<WeightPath> stored(Site site, Use use) {
    return tracer.trace(use.node(), use.input()).stream()
        .filter(p -> p.calls().isEmpty() || p.calls().equals(site.reading().calls()))
        .filter(p -> p.tensor().shape().rank() == 1)
        .findFirst();
  }

  /** The bias that the only reader of the product adds. */
  private Optional<BiasPlace> behind(Site site, String module) {
    GraphNode node = site.node();
    List<Use> readers =
        node.output().map(o -> index.graph().uses(new Value(node.scope(), o))).orElse(List.of());
    return readers.size() == 1
        ? adder(readers.getFirst(), module)
            .flatMap(use -> stored(site, use))
            .map(path -> new BiasPlace.Stored(List.of(path), 1f))
        : Optional.empty();
  }

  /** Which input of the product's reader is the bias. */
  private Optional<Use> adder(Use product, String module) {
    GraphNode node = product.node();
    return switch (node.operator()) {
      case "Add" ->
          isOf(node, module) ? Optional.of(new Use(node, 1 - product.input())) : Optional.empty();
      case "com.microsoft.BiasGelu",
          "com.microsoft.FastGelu",
          "com.microsoft.BiasAdd",
          "com.microsoft.BiasSplitGelu",
          "com.microsoft.BiasDropout",
          "com.microsoft.BitmaskBiasDropout" ->
          product.input() == 0 ? Optional.of(new Use(node, 1)) : Optional.empty();
      case "com.microsoft.SkipLayerNormalization" -> ofSkip(product, 4);
      case "com.microsoft.SkipSimplifiedLayerNormalization" -> ofSkip(product, 3);
      default -> Optional.empty();
    };
  }

  /**
   * The bias of a sum of two branches is this product's only if the other branch cannot have lost
   * one to it.
   */
  private Optional<Use> ofSkip(Use product, int bias) {
    GraphNode node = product.node();
    if (product.input() > 1) {
      return Optional.empty();
    }
    boolean isProduct =
        node.input(1 - product.input())
            .flatMap(name -> node.scope().resolve(name))
            .map(absence::origin)
            .filter(index::isBareProduct)
            .isPresent();
    return isProduct ? Optional.empty() : Optional.of(new Use(node, bias));
  }

  private boolean isOf(GraphNode node, String module) {
    List<SiteName> says = index.names().ofNode(new Reading(new Use(node, 0), List.of()));
    return says.isEmpty() || says.stream().anyMatch(s -> calls.isWithin(s.module(), module));
  }
}

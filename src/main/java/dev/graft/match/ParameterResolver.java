package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.match.Miss.Cause;
import dev.graft.match.Site.Kind;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.Shape;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/** Finds the stored tensor of one parameter: a head's weight, a norm's scale, a bias. */
final class ParameterResolver {

  private final SiteIndex index;
  private final ModuleResolver modules;
  private final Purpose purpose;
  private final NamedParameters named;
  private final BiasResolver biases;
  private final NormFinder norms;

  /**
   * Prepares to look parameters up.
   *
   * @param squares how a square weight goes in that is kept under its own name but read as {@code
   *     [in, out]}
   * @param purpose what parameters are looked up for
   */
  ParameterResolver(ModuleResolver modules, RepeatedCalls calls, Turn squares, Purpose purpose) {
    this.index = modules.index();
    this.modules = modules;
    this.purpose = purpose;
    this.named = new NamedParameters(index, calls, squares);
    this.biases = new BiasResolver(index, calls);
    this.norms = new NormFinder(index, calls);
  }

  /** Whether a tensor may have another size than the file's, as a new head or a grown table has. */
  enum Sizing {
    AS_IN_FILE,
    ITS_OWN
  }

  /**
   * What is to go in.
   *
   * @param shape PyTorch's shape
   * @param sizing whether its first dimension may differ from the file's
   */
  record Needed(Shape shape, Sizing sizing) {}

  /**
   * A parameter by its names.
   *
   * @param parameter the adapter's name, e.g. {@code classifier.weight}
   * @param name the file's name
   * @param mapped what the map file joins it to
   * @param needed what is to go in
   */
  record Wanted(String parameter, String name, Optional<String> mapped, Needed needed) {

    String module(String of) {
      int dot = of.lastIndexOf('.');
      return dot < 0 ? "" : of.substring(0, dot);
    }

    boolean isBias() {
      return parameter.endsWith(".bias") || parameter.equals("bias");
    }

    /** The same under another name of the file. */
    Wanted called(String other) {
      return new Wanted(other, other, mapped, needed);
    }

    /** The same with exactly this shape. */
    Wanted shaped(Shape other) {
      return new Wanted(parameter, name, mapped, new Needed(other, Sizing.AS_IN_FILE));
    }
  }

  /**
   * A parameter's place.
   *
   * @param spots the stored tensors
   * @param rule how they were found
   * @param turn how PyTorch's tensor goes in
   * @param factor what its operators multiply it with
   */
  record Found(List<Spot> spots, NameRule rule, Turn turn, float factor) {

    Found(List<Spot> spots, NameRule rule, Turn turn) {
      this(spots, rule, turn, 1f);
    }

    StoredTensor tensor() {
      return spots.getFirst().tensor();
    }

    /** The place, if what is wanted has its shape or may have its own. */
    Outcome fit(Wanted wanted) {
      Shape shape = wanted.needed().shape();
      boolean turned = turn == Turn.TRANSPOSED && shape.rank() == 2;
      Shape needed = turned ? shape.transposed() : shape;
      Shape stored = tensor().shape();
      boolean fits =
          needed.equals(stored)
              || (wanted.needed().sizing() == Sizing.ITS_OWN
                  && differsOnlyAt(turned ? 1 : 0, needed, stored));
      if (fits) {
        return Outcome.of(this);
      }
      return Outcome.none(
          "the adapter's tensor has shape %s, which needs %s in the file, but '%s' has %s"
              .formatted(shape, needed, tensor().label(), stored),
          Cause.NO_FIT);
    }

    private static boolean differsOnlyAt(int axis, Shape a, Shape b) {
      return a.rank() == b.rank()
          && axis < a.rank()
          && a.elements() > 0
          && IntStream.range(0, a.rank()).allMatch(i -> i == axis || a.dim(i) == b.dim(i));
    }
  }

  /**
   * A place, or what the graph has to get for one, or why there is none.
   *
   * @param found a stored place
   * @param gap what the graph lacks
   * @param problem what stands in the way: of both, or of replacing what is in the gap
   * @param cause its kind; {@code QUANTISED} beside a place that a float weight is put beside
   */
  record Outcome(Optional<Found> found, Optional<Gap> gap, String problem, Cause cause) {

    static Outcome of(Found found) {
      return new Outcome(Optional.of(found), Optional.empty(), "", Cause.NO_FIT);
    }

    /** A weight of integers that stays, while a float one takes its part in the graph. */
    static Outcome beside(Found found) {
      return new Outcome(Optional.of(found), Optional.empty(), "", Cause.QUANTISED);
    }

    static Outcome missing(Gap gap) {
      return new Outcome(Optional.empty(), Optional.of(gap), "", Cause.NO_FIT);
    }

    static Outcome none(String problem, Cause cause) {
      return new Outcome(Optional.empty(), Optional.empty(), problem, cause);
    }

    static Outcome quantised(Site site) {
      return none(
          "its weight '%s' is quantised (%s)"
              .formatted(site.tensor().label(), site.node().operator()),
          Cause.QUANTISED);
    }
  }

  /** Looks a parameter up. */
  Outcome find(Wanted wanted) {
    List<Spot> spots = named.find(wanted);
    if (!spots.isEmpty() && !named.isBorrowed(spots, wanted)) {
      return byName(wanted, spots);
    }
    boolean isWeight = wanted.parameter().endsWith(".weight");
    if (!wanted.isBias() && !isWeight && wanted.mapped().isEmpty()) {
      return Outcome.none("the file has no tensor of the name " + wanted.name(), Cause.ABSENT);
    }
    ModuleResolver.Found sites = sites(wanted, s -> !wanted.isBias() || s.kind() != Kind.EMBEDDING);
    if (sites.sites().isEmpty() && wanted.mapped().isEmpty()) {
      String leaf = wanted.isBias() ? "bias" : "weight";
      Optional<Outcome> ofNorm =
          norms.find(
              new NormFinder.Wanted(wanted.module(wanted.name()), leaf, wanted.needed().shape()));
      if (ofNorm.isPresent()) {
        return ofNorm.get().found().map(f -> f.fit(wanted)).orElseGet(ofNorm::get);
      }
    }
    return wanted.isBias() ? biases.find(sites, wanted) : weightOf(sites, wanted);
  }

  /** Whether the file has a tensor of the parameter's own name. */
  boolean hasNamed(Wanted wanted) {
    return !named.find(wanted).isEmpty();
  }

  /**
   * Looks up a parameter of a module whose sites are known.
   *
   * @param found the module's sites
   * @param wanted a weight or a bias
   */
  Outcome findAt(ModuleResolver.Found found, Wanted wanted) {
    List<Spot> spots = named.find(wanted);
    if (!spots.isEmpty() && !named.isBorrowed(spots, wanted)) {
      return byName(wanted, spots);
    }
    return wanted.isBias() ? biases.find(found, wanted) : weightOf(found, wanted);
  }

  /** A linear layer by the file's name. */
  ModuleResolver.Found linear(String module) {
    return modules.find(module, module, s -> s.kind() != Kind.EMBEDDING && s.kind() != Kind.CONV);
  }

  /**
   * Looks for what a module adds to its product, of whatever it consists.
   *
   * @param sites the module
   * @param wanted its bias
   */
  Outcome bias(ModuleResolver.Found sites, Wanted wanted) {
    List<Spot> spots = wanted.mapped().isEmpty() ? named.find(wanted) : List.of();
    return spots.isEmpty() || named.isBorrowed(spots, wanted)
        ? biases.find(sites, wanted)
        : byName(wanted, spots);
  }

  private ModuleResolver.Found sites(Wanted wanted, Predicate<Site> kind) {
    return wanted
        .mapped()
        .map(m -> modules.findMapped(m, kind))
        .orElseGet(() ->
            modules.find(wanted.module(wanted.parameter()), wanted.module(wanted.name()), kind));
  }

  private Outcome byName(Wanted wanted, List<Spot> spots) {
    if (spots.stream().anyMatch(s -> !index.bytes().same(s.tensor(), spots.getFirst().tensor()))) {
      return Outcome.none(
          spots.size() + " different tensors in several graphs have that name", Cause.NO_FIT);
    }
    if (named.isInDoubt(spots, wanted)) {
      return Outcome.none(
          "'%s' is read by %d operators, some without a name, and holds one value throughout: the exporter may have merged several modules' parameters in it"
              .formatted(
                  spots.getFirst().tensor().label(),
                  spots.stream().mapToInt(s -> s.readers().size()).sum()),
          Cause.UNSUPPORTED);
    }
    List<Float> factors =
        spots.stream().flatMap(s -> s.readers().stream()).map(r -> factor(r)).distinct().toList();
    if (factors.size() > 1) {
      return Outcome.none(
          "its operators multiply '%s' with different factors (alpha or beta)"
              .formatted(spots.getFirst().tensor().label()),
          Cause.UNSUPPORTED);
    }
    NameRule rule = wanted.mapped().isPresent() ? NameRule.MAP_FILE : NameRule.INITIALIZER;
    float factor = factors.isEmpty() ? 1f : factors.getFirst();
    return new Found(spots, rule, named.turn(wanted, spots.getFirst()), factor).fit(wanted);
  }

  /** What an operator multiplies an input with. */
  private static float factor(Reading reading) {
    GraphNode node = reading.node();
    return switch (node.operator()) {
      case "Gemm", "com.microsoft.FusedGemm", "com.microsoft.FusedMatMul" ->
          node.floatAttribute(reading.use().input() == 2 ? "beta" : "alpha", 1f);
      default -> 1f;
    };
  }

  /** A float weight goes in beside the quantised one, for the same number of outputs. */
  private static Outcome beside(ModuleResolver.Found found, Wanted wanted) {
    Site site = found.first();
    Turn turn = site.layout() == Layout.IN_OUT ? Turn.TRANSPOSED : Turn.AS_IS;
    Shape shape = wanted.needed().shape();
    boolean turned = turn == Turn.TRANSPOSED && shape.rank() == 2;
    Shape needed = turned ? shape.transposed() : shape;
    return needed.equals(site.shape())
        ? Outcome.beside(new Found(found.spots(), found.rule(), turn, site.alpha()))
        : Outcome.none(
            "the adapter's tensor has shape %s, which needs %s in the file, but %s multiplies with %s"
                .formatted(shape, needed, site.node(), site.shape()),
            Cause.NO_FIT);
  }

  private Outcome weightOf(ModuleResolver.Found found, Wanted wanted) {
    if (found.sites().isEmpty()) {
      return Outcome.none(found.problem(), found.cause());
    }
    Site site = found.first();
    if (site.kind() == Kind.QUANTISED) {
      return purpose == Purpose.BRANCH && QuantisedProducts.isOpen(site)
          ? beside(found, wanted)
          : Outcome.quantised(site);
    }
    if (!found.isUniform()) {
      return Outcome.none(
          "its operators read '%s' in different ways".formatted(site.tensor().label()),
          Cause.UNSUPPORTED);
    }
    Turn turn = site.layout() == Layout.IN_OUT ? Turn.TRANSPOSED : Turn.AS_IS;
    return new Found(found.spots(), found.rule(), turn, site.alpha()).fit(wanted);
  }
}

package dev.graft.match;

import dev.graft.adapter.AdapterTarget;
import dev.graft.adapter.BaseCopy;
import dev.graft.adapter.LoraPair;
import dev.graft.adapter.PeftAdapter;
import dev.graft.adapter.Replacement;
import dev.graft.adapter.TokenRows;
import dev.graft.match.BoundTarget.Place;
import dev.graft.match.Miss.Cause;
import dev.graft.match.ParameterResolver.Wanted;
import dev.graft.match.Site.Kind;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.Shape;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/** Binds one target at a time under a given prefix. */
final class TargetBinder {

  /** More than messages show; to compare every name with every other takes seconds. */
  private static final int MAX_ADVISED = 64;

  private final SiteIndex index;
  private final NameMap map;
  private final Prefix prefix;
  private final ModuleResolver modules;
  private final ParameterResolver parameters;
  private final TieSettler ties;
  private final Advice advice;
  private int advised;

  /** Whether misses come with the nearest names, which cost far more to find than the misses. */
  enum Advice {
    NONE,
    NEAREST_NAMES
  }

  /**
   * Prepares to bind.
   *
   * @param names the map file and the prefix to try
   */
  TargetBinder(SiteIndex index, PeftAdapter adapter, Binder.Options names, Advice advice) {
    this.index = index;
    this.advice = advice;
    this.map = names.map();
    this.prefix = names.prefix().orElse(Prefix.NONE);
    List<String> inFile =
        adapter.targets().stream().flatMap(t -> prefix.apply(t.target()).stream()).toList();
    RepeatedCalls calls = new RepeatedCalls(index, inFile);
    Turn squares = adapter.config().fanInFanOut() ? Turn.AS_IS : Turn.TRANSPOSED;
    this.modules = new ModuleResolver(index, map, calls);
    this.parameters = new ParameterResolver(index, modules, calls, squares);
    this.ties = new TieSettler(index, adapter.config());
  }

  void bind(AdapterTarget target, List<BoundTarget> bound, List<Miss> misses) {
    String name = target.target();
    Optional<String> inFile = map.target(name).isPresent() ? Optional.of(name) : prefix.apply(name);
    if (inFile.isEmpty() && !(target instanceof BaseCopy)) {
      misses.add(
          new Miss(name, "does not begin with '" + prefix.from() + "'", List.of(), Cause.ABSENT));
      return;
    }
    switch (target) {
      case LoraPair pair -> bindPair(pair, inFile.orElse(name), bound, misses);
      case Replacement whole -> bindWhole(whole, inFile.orElse(name), bound, misses);
      case TokenRows rows ->
          misses.add(
              new Miss(
                  rows.module(),
                  "trainable_token_indices (rows of a table) cannot be folded by this version",
                  List.of(),
                  Cause.UNSUPPORTED));
      case BaseCopy copy -> {
        // Only there to check against; nothing to place.
      }
    }
  }

  /** Gives each target on shared bytes a copy of its own, or notes why that cannot be. */
  List<BoundTarget> settleTies(List<BoundTarget> bound, List<Miss> misses) {
    return ties.settle(bound, misses);
  }

  private void bindPair(LoraPair pair, String name, List<BoundTarget> bound, List<Miss> misses) {
    Optional<String> extra = extra(pair);
    if (extra.isPresent()) {
      miss(pair, Cause.UNSUPPORTED, extra.get() + " cannot be folded by this version")
          .ifPresent(misses::add);
      return;
    }
    boolean embedding = pair.kind() == LoraPair.Kind.EMBEDDING;
    ModuleResolver.Found found =
        modules.find(
            pair.module(),
            name,
            s ->
                s.kind() == Kind.QUANTISED
                    || (embedding
                        ? s.kind() == Kind.EMBEDDING
                        : s.kind() == Kind.LINEAR || s.kind() == Kind.CONV));
    if (found.sites().isEmpty()) {
      misses.add(
          new Miss(pair.module(), found.problem(), nearest(name, index.modules()), found.cause()));
      return;
    }
    if (index.modules().contains(name + ".lora_A")) {
      miss(
              pair,
              Cause.UNSUPPORTED,
              "the model holds a LoRA branch of its own there ('%s.lora_A'), which would act a second time; export the base without an adapter"
                  .formatted(name))
          .ifPresent(misses::add);
      return;
    }
    Optional<Miss> problem = unfit(pair, found);
    if (problem.isPresent()) {
      misses.add(problem.get());
      return;
    }
    Site site = found.first();
    Place place = new Place(found.rule(), found.spots());
    bound.add(new BoundTarget.Lora(pair, place, site.kind(), site.layout(), site.alpha()));
  }

  private static Optional<Miss> unfit(LoraPair pair, ModuleResolver.Found found) {
    Site site = found.first();
    StoredTensor tensor = site.tensor();
    if (site.kind() == Kind.QUANTISED) {
      return miss(
          pair,
          Cause.QUANTISED,
          "'%s' is quantised (%s)".formatted(tensor.label(), site.node().operator()));
    }
    if (!tensor.dtype().isFoldable()) {
      return miss(
          pair,
          isInteger(tensor) ? Cause.QUANTISED : Cause.UNSUPPORTED,
          "'%s' has the element type %s; Graft folds into float32, float16 and bfloat16"
              .formatted(tensor.label(), tensor.dtype()));
    }
    if (site.kind() != Kind.LINEAR) {
      String what = site.kind() == Kind.CONV ? "a convolution" : "an embedding";
      return miss(pair, Cause.UNSUPPORTED, "LoRA on " + what + " is not folded by this version");
    }
    if (!found.isUniform()) {
      return miss(
          pair,
          Cause.UNSUPPORTED,
          "its operators read '%s' in different ways (transB or alpha differ)"
              .formatted(tensor.label()));
    }
    if (site.alpha() == 0 || !Float.isFinite(site.alpha())) {
      return miss(
          pair,
          Cause.UNSUPPORTED,
          site.node() + " has alpha " + site.alpha() + ", so no weight acts");
    }
    return misshapen(pair, site);
  }

  private static Optional<Miss> misshapen(LoraPair pair, Site site) {
    StoredTensor tensor = site.tensor();
    Shape a = pair.a().shape();
    Shape b = pair.b().shape();
    long in = site.layout().in(tensor.shape());
    long out = site.layout().out(tensor.shape());
    Optional<Shape> magnitude = pair.magnitude().map(m -> m.shape());
    if (magnitude.isPresent() && magnitude.get().elements() != out) {
      return miss(
          pair,
          Cause.NO_FIT,
          "the adapter has a magnitude vector of shape %s, but '%s' %s has %d outputs"
              .formatted(magnitude.get(), tensor.label(), tensor.shape(), out));
    }
    if (a.rank() == 2 && b.rank() == 2 && a.dim(1) == in && b.dim(0) == out) {
      return Optional.empty();
    }
    return miss(
        pair,
        Cause.NO_FIT,
        "the adapter has lora_A %s and lora_B %s, but '%s' %s read by %s has %d inputs and %d outputs"
            .formatted(a, b, tensor.label(), tensor.shape(), site.node().operator(), in, out));
  }

  /** What the pair has beside A and B that a plain fold would leave out. */
  private static Optional<String> extra(LoraPair pair) {
    if (pair.kind() == LoraPair.Kind.PARAMETER) {
      return Optional.of("LoRA on a bare parameter (target_parameters)");
    }
    if (pair.biasOfB().isPresent()) {
      return Optional.of("a bias on B (lora_bias)");
    }
    return pair.blocks().ofA() != 1 || pair.blocks().ofB() != 1
        ? Optional.of("a block-diagonal pair (use_bdlora)")
        : Optional.empty();
  }

  private void bindWhole(
      Replacement whole, String name, List<BoundTarget> bound, List<Miss> misses) {
    ParameterResolver.Outcome outcome =
        parameters.find(
            new Wanted(
                whole.parameter(), name, map.target(whole.parameter()), whole.value().shape()));
    if (outcome.found().isEmpty()) {
      misses.add(
          new Miss(
              whole.parameter(),
              outcome.problem(),
              nearest(name, index.parameterNames()),
              outcome.cause()));
      return;
    }
    if (!whole.value().dtype().isFoldable()) {
      misses.add(
          new Miss(
              whole.parameter(),
              "the adapter's tensor has the element type %s; save it as float32, float16 or bfloat16"
                  .formatted(whole.value().dtype()),
              List.of(),
              Cause.UNSUPPORTED));
      return;
    }
    ParameterResolver.Found found = outcome.found().get();
    if (!found.tensor().dtype().isFoldable()) {
      misses.add(
          new Miss(
              whole.parameter(),
              "'%s' has the element type %s; Graft replaces float32, float16 and bfloat16"
                  .formatted(found.tensor().label(), found.tensor().dtype()),
              List.of(),
              Cause.UNSUPPORTED));
      return;
    }
    Place place = new Place(found.rule(), found.spots());
    bound.add(new BoundTarget.Whole(whole, place, found.turn()));
  }

  private List<String> nearest(String name, Collection<String> names) {
    if (advice == Advice.NONE || advised == MAX_ADVISED) {
      return List.of();
    }
    advised++;
    return NearestNames.of(name, names);
  }

  private static boolean isInteger(StoredTensor tensor) {
    return switch (tensor.dtype()) {
      case INT8, UINT8, INT16, UINT16, INT32, INT4, UINT4, INT2, UINT2 -> true;
      default -> false;
    };
  }

  private static Optional<Miss> miss(LoraPair pair, Cause cause, String reason) {
    return Optional.of(new Miss(pair.module(), reason, List.of(), cause));
  }
}

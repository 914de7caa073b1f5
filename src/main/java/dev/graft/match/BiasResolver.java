package dev.graft.match;

import dev.graft.match.Miss.Cause;
import dev.graft.match.ParameterResolver.Found;
import dev.graft.match.ParameterResolver.Outcome;
import dev.graft.match.ParameterResolver.Sizing;
import dev.graft.match.ParameterResolver.Wanted;
import dev.graft.match.Site.Kind;
import dev.graft.tensor.Shape;
import java.util.List;
import java.util.Optional;

/** Finds the bias of a module whose sites are known, or what the graph has to get for one. */
final class BiasResolver {

  private final SiteIndex index;
  private final BiasFinder biases;

  BiasResolver(SiteIndex index, RepeatedCalls calls) {
    this.index = index;
    this.biases = new BiasFinder(index, calls);
  }

  Outcome find(ModuleResolver.Found found, Wanted wanted) {
    if (found.sites().isEmpty()) {
      return Outcome.none(found.problem(), found.cause());
    }
    Site site = found.first();
    return switch (biases.find(found.sites(), wanted.module(wanted.name()))) {
      case BiasPlace.Stored(List<WeightPath> paths, float factor) ->
          storedBias(paths, factor, wanted);
      case BiasPlace.Unclear(String reason) ->
          site.kind() == Kind.QUANTISED
              ? ParameterResolver.quantised(site)
              : Outcome.none(reason, Cause.UNSUPPORTED);
      case BiasPlace.Missing missing ->
          site.kind() == Kind.QUANTISED
              ? ParameterResolver.quantised(site)
              : missingBias(site, missing, wanted);
    };
  }

  private Outcome storedBias(List<WeightPath> paths, float factor, Wanted wanted) {
    if (paths.stream().anyMatch(WeightPath::isQuantised)) {
      return Outcome.none(
          "its tensor '%s' is quantised".formatted(paths.getFirst().tensor().label()),
          Cause.QUANTISED);
    }
    List<Spot> spots = Spots.of(paths);
    if (spots.stream().anyMatch(s -> !index.bytes().same(s.tensor(), spots.getFirst().tensor()))) {
      return Outcome.none(
          "its operators add different biases: "
              + spots.stream().map(s -> s.tensor().label()).limit(4).toList(),
          Cause.NO_FIT);
    }
    return ParameterResolver.fit(
        new Found(spots, NameRule.BIAS_OF_SITE, Turn.AS_IS, factor), wanted);
  }

  private static Outcome missingBias(Site site, BiasPlace.Missing missing, Wanted wanted) {
    long out = site.layout().out(site.tensor().shape());
    Shape shape = wanted.needed().shape();
    boolean fits = wanted.needed().sizing() == Sizing.ITS_OWN || shape.elements() == out;
    if (shape.rank() != 1 || !fits || !site.tensor().dtype().isFoldable()) {
      return Outcome.none(
          "the adapter's tensor has shape %s, but '%s' %s of type %s has %d outputs"
              .formatted(
                  shape, site.tensor().label(), site.tensor().shape(), site.tensor().dtype(), out),
          Cause.NO_FIT);
    }
    Gap gap = new Gap(wanted.name(), site.tensor().dtype(), out, missing.openings());
    String doubt =
        missing
            .doubt()
            .map(d ->
                "the graph adds no bias right behind %s, and %s; so its place cannot be proved"
                    .formatted(site.node(), d))
            .orElse("");
    return new Outcome(Optional.empty(), Optional.of(gap), doubt, Cause.UNSUPPORTED);
  }
}

package dev.graft.match;

import dev.graft.match.Miss.Cause;
import dev.graft.match.Site.Kind;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the other half of a tie: the layer over the vocabulary for a token table, the token table
 * for that layer. Both may read one tensor; where the export has untied them, the other half holds
 * the same values, perhaps the other way round.
 */
final class TieFinder {

  private final SiteIndex index;

  TieFinder(SiteIndex index) {
    this.index = index;
  }

  /**
   * A target's own half and the other one.
   *
   * @param own the target's own operators
   * @param same others that read the very same bytes
   * @param apart others that read equal values elsewhere, all one module
   * @param doubt why it cannot be said what the other half is
   */
  record Tie(List<Site> own, List<Site> same, List<Site> apart, Optional<Miss> doubt) {
    private static final Tie NONE = new Tie(List.of(), List.of(), List.of(), Optional.empty());

    /** Whether there is another half. */
    boolean isTied() {
      return !same.isEmpty() || !apart.isEmpty();
    }

    /** The operators of the other half. */
    List<Site> others() {
      List<Site> others = new ArrayList<>(same);
      others.addAll(apart);
      return others;
    }

    boolean isOfTable() {
      return !own.isEmpty() && own.getFirst().kind() == Kind.EMBEDDING;
    }
  }

  /** The tie that a target's place is a half of. */
  Tie of(BoundTarget target) {
    List<Site> own = own(target.place());
    if (own.isEmpty() || !target.place().outputs().isAll()) {
      return Tie.NONE;
    }
    Site first = own.getFirst();
    List<Site> same = new ArrayList<>();
    List<Site> apart = new ArrayList<>();
    Set<StoredTensor> twins = identities(index.sharedBytes().twins(first.tensor()));
    for (Site site : index.sites()) {
      if (own.contains(site) || !isOfSize(site, first)) {
        continue;
      }
      boolean other = site.kind() != first.kind();
      if (twins.contains(site.tensor()) && (other || first.kind() == Kind.EMBEDDING)) {
        same.add(site);
      } else if (other && index.bytes().sameTable(first, site)) {
        apart.add(site);
      }
    }
    Optional<String> doubt = doubt(first, same, apart);
    Optional<Miss> miss =
        doubt
            .map(reason -> new Miss(target.name(), reason, List.of(), Cause.UNSUPPORTED))
            .or(() ->
                same.isEmpty() && apart.isEmpty() ? quantised(target, first) : Optional.empty());
    return new Tie(own, same, apart, miss);
  }

  private List<Site> own(BoundTarget.Place place) {
    List<Site> own = new ArrayList<>();
    for (Spot spot : place.spots()) {
      for (StoredTensor tensor : index.sharedBytes().twins(spot.tensor())) {
        index.on(tensor).stream()
            .filter(s -> spot.readers().contains(s.reading()))
            .filter(s -> s.kind() == Kind.EMBEDDING || s.kind() == Kind.LINEAR)
            .forEach(own::add);
      }
    }
    return own;
  }

  private static boolean isOfSize(Site site, Site first) {
    return (site.kind() == Kind.EMBEDDING || site.kind() == Kind.LINEAR)
        && site.tensor().dtype().isFoldable()
        && site.layout().out(site.tensor().shape()) == first.layout().out(first.tensor().shape())
        && site.layout().in(site.tensor().shape()) == first.layout().in(first.tensor().shape());
  }

  private static Optional<String> doubt(Site first, List<Site> same, List<Site> apart) {
    List<Site> others = new ArrayList<>(same);
    others.addAll(apart);
    Optional<Site> scaled = others.stream().filter(s -> s.alpha() != 1).findFirst();
    if (scaled.isPresent()) {
      return Optional.of(
          "'%s' is tied to %s, which multiplies it by %s, so one change cannot serve both"
              .formatted(first.tensor().label(), scaled.get().node(), scaled.get().alpha()));
    }
    if (apart.isEmpty()) {
      return Optional.empty();
    }
    boolean alike =
        apart.stream().allMatch(s -> s.layout() == apart.getFirst().layout())
            && same.stream().allMatch(s -> s.kind() == first.kind());
    Set<String> names = new HashSet<>(unnumbered(apart.getFirst()));
    apart.forEach(s -> names.retainAll(unnumbered(s)));
    boolean oneTensor = apart.stream().allMatch(s -> s.tensor() == apart.getFirst().tensor());
    return alike && (oneTensor || !names.isEmpty())
        ? Optional.empty()
        : Optional.of(
            "the other half of its tie is in doubt: %s hold the same values as '%s'"
                .formatted(
                    others.stream().map(s -> s.node().toString()).distinct().limit(4).toList(),
                    first.tensor().label()));
  }

  private static List<String> unnumbered(Site site) {
    return site.names().stream().map(n -> RepeatedCalls.unnumbered(n.module())).toList();
  }

  /** A quantised layer over the same vocabulary: whether it is tied can no longer be seen. */
  private Optional<Miss> quantised(BoundTarget target, Site first) {
    long rows = first.layout().out(first.tensor().shape());
    long width = first.layout().in(first.tensor().shape());
    return index.sites().stream()
        .filter(s -> s.kind() == Kind.QUANTISED)
        .filter(s -> looksUp(s) != (first.kind() == Kind.EMBEDDING) && isOfSize(s, rows, width))
        .findFirst()
        .map(s ->
            new Miss(
                target.name(),
                "%s is quantised and as large as '%s', so it cannot be said whether the two are tied, nor be changed alike"
                    .formatted(s.node(), first.tensor().label()),
                List.of(),
                Cause.QUANTISED));
  }

  private static boolean looksUp(Site site) {
    return site.node().operator().equals("Gather")
        || site.node().operator().equals("com.microsoft.GatherBlockQuantized");
  }

  private static boolean isOfSize(Site site, long rows, long width) {
    if (site.node().attribute("N").isPresent()) {
      return site.node().intAttribute("N", 0) == rows && site.node().intAttribute("K", 0) == width;
    }
    List<Long> dims = site.tensor().proto().getDimsList();
    return dims.equals(List.of(rows, width)) || dims.equals(List.of(width, rows));
  }

  private static Set<StoredTensor> identities(List<StoredTensor> tensors) {
    Set<StoredTensor> set = Collections.newSetFromMap(new IdentityHashMap<>());
    set.addAll(tensors);
    return set;
  }
}

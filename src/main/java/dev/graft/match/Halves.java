package dev.graft.match;

import dev.graft.adapter.LoraPair;
import dev.graft.graph.Value;
import dev.graft.match.BoundTarget.Experts;
import dev.graft.match.BoundTarget.Lora;
import dev.graft.match.BoundTarget.Operation;
import dev.graft.match.BoundTarget.Place;
import dev.graft.match.BoundTarget.Rows;
import dev.graft.match.BoundTarget.Shift;
import dev.graft.match.BoundTarget.Whole;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Puts a target of one half of a tie onto the other half, or onto both where they are one. */
final class Halves {

  private Halves() {}

  /** The target on the other half, which reads another tensor. */
  static BoundTarget onOther(BoundTarget target, List<Site> other) {
    Site site = other.getFirst();
    Place place = Place.whole(NameRule.TIED, Spots.of(other.stream().map(Site::path).toList()));
    return switch (target) {
      case Lora lora ->
          new Lora(
              lora.pair(),
              lora.pairOutputs(),
              place,
              new Operation(site.kind(), layout(lora.pair(), site), site.alpha(), site.shape()));
      case Rows rows -> new Rows(rows.rows(), place, site.layout());
      case Shift shift ->
          throw new IllegalArgumentException(shift.name() + " is a bias, which is never tied");
      case Experts experts -> experts.on(place);
      case Whole whole ->
          new Whole(
              whole.replacement(),
              whole.valueOutputs(),
              place,
              site.layout() == Layout.OUT_IN ? Turn.AS_IS : Turn.TRANSPOSED);
    };
  }

  /** What A counts as inputs are the rows of a table in a pair that was trained on one. */
  private static Layout layout(LoraPair pair, Site site) {
    return pair.kind() == LoraPair.Kind.EMBEDDING ? site.layout().transposed() : site.layout();
  }

  /** The target's place with the readers of the other half, which are on the same bytes. */
  static Place widened(Place place, List<Site> same) {
    List<Spot> spots = new ArrayList<>(place.spots());
    Spot first = spots.getFirst();
    Set<Reading> readers = new LinkedHashSet<>(first.readers());
    same.forEach(s -> readers.add(s.reading()));
    Set<Value> roots = new LinkedHashSet<>(first.roots());
    same.forEach(s -> roots.add(s.path().root()));
    spots.set(
        0,
        new Spot(
            first.tensor(), first.twins(), List.copyOf(roots), List.copyOf(readers), List.of()));
    return place.on(spots);
  }
}

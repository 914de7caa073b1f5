package dev.graft.match;

import dev.graft.match.Miss.Cause;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Sees that no two parameters are to be put into one opening. */
final class Openings {

  private Openings() {}

  /** Takes out the targets that would share an opening with another parameter. */
  static List<BoundTarget> apart(List<BoundTarget> bound, List<Miss> misses) {
    Map<Opening, String> taken = new HashMap<>();
    List<BoundTarget> apart = new ArrayList<>();
    for (BoundTarget target : bound) {
      List<Opening> openings = target.place().gap().map(Gap::openings).orElse(List.of());
      boolean free =
          openings.stream()
              .map(o -> taken.computeIfAbsent(o, n -> target.name()))
              .allMatch(target.name()::equals);
      if (free) {
        apart.add(target);
      } else {
        misses.add(
            new Miss(
                target.name(),
                "%s serves several of the adapter's targets at once; the exporter merged their modules"
                    .formatted(openings.getFirst().node()),
                List.of(),
                Cause.UNSUPPORTED));
      }
    }
    return apart;
  }
}

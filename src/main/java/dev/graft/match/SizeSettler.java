package dev.graft.match;

import dev.graft.match.Miss.Cause;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Sees that the graph can take the tensors that have another size than the base's. */
final class SizeSettler {

  private final SiteIndex index;

  SizeSettler(SiteIndex index) {
    this.index = index;
  }

  /** Takes out the targets whose new size some operator cannot take. */
  List<BoundTarget> settle(List<BoundTarget> bound, List<Miss> misses) {
    Map<String, String> problems = SizeTrace.of(index.graph(), bound).problems();
    List<BoundTarget> settled = new ArrayList<>();
    for (BoundTarget target : bound) {
      String problem = target instanceof BoundTarget.Whole ? problems.get(target.name()) : null;
      if (problem == null) {
        settled.add(target);
      } else {
        misses.add(new Miss(target.name(), problem, List.of(), Cause.UNSUPPORTED));
      }
    }
    return settled;
  }
}

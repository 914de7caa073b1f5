package dev.graft.match;

import java.util.List;
import java.util.Set;

/** Which halves of ties a target changes. */
interface TieRule {

  /**
   * Targets that know all their places.
   *
   * @param bound the targets, on every half that they change
   * @param misses those whose halves are in doubt
   * @param stacked readings that several targets change one after the other, as they are meant to
   */
  record Extended(List<BoundTarget> bound, List<Miss> misses, Set<Reading> stacked) {}

  /** Brings targets to the halves that they change beside their own. */
  Extended extend(List<BoundTarget> bound);
}

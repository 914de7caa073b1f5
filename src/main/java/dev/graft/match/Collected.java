package dev.graft.match;

import dev.graft.match.Miss.Cause;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What one attempt to bind an adapter has found so far. */
final class Collected {

  /** More than messages show; to compare every name with every other takes seconds. */
  private static final int MAX_ADVISED = 64;

  private final Advice advice;
  private final List<BoundTarget> bound = new ArrayList<>();
  private final List<Miss> misses = new ArrayList<>();
  private final Set<String> slots = new LinkedHashSet<>();
  private int advised;

  /** Whether misses come with the nearest names, which cost far more to find than the misses. */
  enum Advice {
    NONE,
    NEAREST_NAMES
  }

  Collected(Advice advice) {
    this.advice = advice;
  }

  List<BoundTarget> bound() {
    return bound;
  }

  List<Miss> misses() {
    return misses;
  }

  void add(BoundTarget target) {
    bound.add(target);
  }

  /** Notes that a module that changes has a slot for an adapter at run time. */
  void slot(String module) {
    slots.add(module);
  }

  /** What the user should know of the places that were found. */
  List<String> warnings() {
    return slots.isEmpty()
        ? List.of()
        : List.of(
            "the model has slots for an adapter at run time at %d of the modules that change ('%s' first); they stay, and the same adapter fed to them would act a second time"
                .formatted(slots.size(), slots.iterator().next()));
  }

  void miss(String target, Cause cause, String reason) {
    misses.add(new Miss(target, reason, List.of(), cause));
  }

  /** A miss with the names that look most like the one that was not found. */
  void missNamed(Miss miss, String name, Collection<String> names) {
    boolean tell = advice == Advice.NEAREST_NAMES && advised < MAX_ADVISED;
    advised += tell ? 1 : 0;
    List<String> nearest = tell ? NearestNames.of(name, names) : List.of();
    misses.add(new Miss(miss.name(), miss.reason(), nearest, miss.cause()));
  }
}

package dev.graft.autodiff;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A range of one axis, as a Slice takes it.
 *
 * @param axis the axis, counted from the front
 * @param start first place; negative counts from the end
 * @param end the place behind the last; negative counts from the end
 * @param step how far apart the places are
 */
record Cut(int axis, Dim start, Dim end, long step) {

  /** Ends beyond this are how exporters write "to the end". */
  private static final long FAR = Integer.MAX_VALUE;

  /** The ranges of a Slice by inputs, in the order of its axes; empty if some are not known. */
  static Optional<List<Cut>> of(OpNode node) {
    Optional<List<Dim>> starts = node.facts(1).content();
    Optional<List<Dim>> ends = node.facts(2).content();
    Optional<long[]> axes = node.facts(3).numbers();
    Optional<long[]> steps = node.facts(4).numbers();
    boolean isOpen = (node.hasInput(3) && axes.isEmpty()) || (node.hasInput(4) && steps.isEmpty());
    if (starts.isEmpty() || ends.isEmpty() || isOpen || node.facts(0).rank().isEmpty()) {
      return Optional.empty();
    }
    int rank = node.facts(0).rank().get();
    List<Cut> cuts = new ArrayList<>();
    for (int i = 0; i < starts.get().size(); i++) {
      long axis = axes.isPresent() ? axes.get()[i] : i;
      long step = steps.isPresent() ? steps.get()[i] : 1;
      int place = Math.toIntExact(axis < 0 ? axis + rank : axis);
      cuts.add(new Cut(place, starts.get().get(i), ends.get().get(i), step));
    }
    return Optional.of(cuts);
  }

  /** The number of places within an axis of a length, where it is known beforehand. */
  Optional<Dim> length(Dim whole) {
    if (whole.isConstant() && start.isConstant() && end.isConstant()) {
      return Optional.of(Dim.of(constantLength(whole.value())));
    }
    if (step != 1) {
      return Optional.empty();
    }
    boolean fromFront = start.is(0);
    if (fromFront && (isFar() || end.equals(whole))) {
      return Optional.of(whole);
    }
    // A named end may lie beyond the axis; only where it is a part of the length does it not.
    boolean isInside = end.isConstant() && end.value() < 0 && fromFront;
    return isInside && whole.terms().containsKey("")
        ? Optional.of(whole.plus(end))
        : Optional.empty();
  }

  /** First place and the one behind the last, where both are known and the step is 1. */
  Optional<long[]> bounds(Dim whole) {
    if (step != 1 || !whole.isConstant() || !start.isConstant() || !end.isConstant()) {
      return Optional.empty();
    }
    long first = clamped(start.value(), whole.value());
    return Optional.of(new long[] {first, Math.max(first, clamped(end.value(), whole.value()))});
  }

  /** Whether the range is the whole axis. */
  boolean isWhole(Dim whole) {
    return step == 1 && start.is(0) && (isFar() || end.equals(whole));
  }

  /** The same range of a list. */
  Optional<List<Dim>> of(List<Dim> elements) {
    return bounds(Dim.of(elements.size())).map(b -> elements.subList((int) b[0], (int) b[1]));
  }

  private boolean isFar() {
    return end.isConstant() && end.value() >= FAR;
  }

  private long constantLength(long whole) {
    if (step > 0) {
      long from = clamped(start.value(), whole);
      return Math.max(0, Math.ceilDiv(clamped(end.value(), whole) - from, step));
    }
    long from = Math.clamp(wrapped(start.value(), whole), -1, whole - 1);
    long to = Math.clamp(wrapped(end.value(), whole), -1, whole - 1);
    return Math.max(0, Math.ceilDiv(from - to, -step));
  }

  private static long clamped(long place, long whole) {
    return Math.clamp(wrapped(place, whole), 0, whole);
  }

  private static long wrapped(long place, long whole) {
    return place < 0 ? place + whole : place;
  }
}

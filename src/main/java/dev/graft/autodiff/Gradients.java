package dev.graft.autodiff;

import dev.graft.autodiff.Part.Picked;
import dev.graft.autodiff.Part.Range;
import dev.graft.autodiff.Part.Whole;
import dev.graft.onnx.Attributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The contributions to the gradient of each value, summed when the value's turn comes. */
final class Gradients {

  private final Activity activity;
  private final Emitter emitter;
  private final Map<String, List<Part>> parts = new HashMap<>();

  /**
   * Begins without any.
   *
   * @param activity the values that depend on a trainable tensor
   */
  Gradients(Activity activity, Emitter emitter) {
    this.activity = activity;
    this.emitter = emitter;
  }

  boolean isActive(String value) {
    return activity.reaches(value);
  }

  boolean has(String value) {
    return parts.containsKey(value);
  }

  List<Part> parts(String value) {
    return List.copyOf(parts.getOrDefault(value, List.of()));
  }

  /** Adds a contribution; one to a value that no trainable tensor is behind goes nowhere. */
  void give(String value, Part part) {
    if (isActive(value)) {
      if (part instanceof Whole(String tensor)) {
        learn(tensor, value);
      }
      parts.computeIfAbsent(value, v -> new ArrayList<>()).add(part);
    }
  }

  /** The sum of a value's contributions, as one tensor of its shape. */
  String whole(String value) {
    List<String> terms = new ArrayList<>();
    List<Range> ranges = new ArrayList<>();
    for (Part part : parts(value)) {
      switch (part) {
        case Whole(String tensor) -> terms.add(tensor);
        case Range range -> ranges.add(range);
        case Picked picked -> terms.add(spread(picked, value));
      }
    }
    terms.addAll(joined(ranges, value));
    String sum = emitter.total(terms);
    learn(sum, value);
    parts.put(value, new ArrayList<>(List.of(new Whole(sum))));
    return sum;
  }

  /** A gradient is of the type and shape of its value. */
  private void learn(String gradient, String value) {
    Facts facts = emitter.draft().facts(value);
    emitter.draft().learn(gradient, new Facts(facts.type(), facts.dims(), Optional.empty()));
  }

  private String spread(Picked picked, String value) {
    return emitter.op(
        "com.microsoft.GatherElementsGrad",
        List.of(picked.value(), emitter.shapeOf(value), picked.indices()),
        Attributes.of("axis", (long) picked.axis()));
  }

  private List<String> joined(List<Range> ranges, String value) {
    Map<Integer, List<Range>> byAxis = new TreeMap<>();
    ranges.forEach(r -> byAxis.computeIfAbsent(r.axis(), a -> new ArrayList<>()).add(r));
    List<String> terms = new ArrayList<>();
    byAxis.forEach((axis, cuts) -> terms.addAll(joinedAlong(axis, cuts, value)));
    return terms;
  }

  /** Ranges that follow on each other are joined; what is left of the axis becomes zero. */
  private List<String> joinedAlong(int axis, List<Range> ranges, String value) {
    List<Range> left = new ArrayList<>(ranges);
    left.sort(Comparator.comparingLong(Range::start).thenComparingLong(Range::end));
    long length = emitter.draft().facts(value).dim(axis).map(Dim::value).orElseThrow();
    List<String> terms = new ArrayList<>();
    while (!left.isEmpty()) {
      List<Range> row = new ArrayList<>();
      long place = 0;
      for (Optional<Range> next = from(left, place); next.isPresent(); next = from(left, place)) {
        row.add(next.get());
        left.remove(next.get());
        place = next.get().end();
      }
      terms.add(padded(row, length, value));
    }
    return terms;
  }

  private static Optional<Range> from(List<Range> ranges, long place) {
    return ranges.stream().filter(r -> r.start() >= place).findFirst();
  }

  private String padded(List<Range> row, long length, String value) {
    List<String> pieces = new ArrayList<>();
    int axis = row.getFirst().axis();
    long place = 0;
    for (Range range : row) {
      addZeros(pieces, range, range.start() - place);
      pieces.add(range.value());
      place = range.end();
    }
    addZeros(pieces, row.getLast(), length - place);
    String whole = pieces.size() == 1 ? pieces.getFirst() : emitter.concat(axis, pieces);
    learn(whole, value);
    return whole;
  }

  /** Zeros as wide as a range on its other axes; made of its shape, so that nothing is fixed. */
  private void addZeros(List<String> pieces, Range like, long count) {
    if (count > 0) {
      pieces.add(new Zeros(emitter).besides(like.value(), like.axis(), count));
    }
  }
}

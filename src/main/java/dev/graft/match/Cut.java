package dev.graft.match;

import java.util.List;
import java.util.stream.Collectors;

/**
 * How the outputs of a packed weight fall to its parts, one after the other.
 *
 * @param widths the number of outputs of each part
 * @param source what says so, as messages have it
 */
record Cut(List<Long> widths, String source) {

  Cut {
    widths = List.copyOf(widths);
  }

  /** All outputs. */
  long total() {
    return widths.stream().mapToLong(Long::longValue).sum();
  }

  /** The outputs of one part. */
  OutputRange part(int position) {
    long from = widths.subList(0, position).stream().mapToLong(Long::longValue).sum();
    return new OutputRange(from, widths.get(position));
  }

  @Override
  public String toString() {
    return widths.stream().map(String::valueOf).collect(Collectors.joining(", ")) + " by " + source;
  }

  /** What there is to know of a packed weight. */
  sealed interface Finding {

    /** The graph, or the adapter, says where the parts are. */
    record Known(Cut cut) implements Finding {}

    /** Nothing says so, and nothing speaks against blocks one after the other. */
    record Open(String reason) implements Finding {}

    /** The parts do not lie in blocks, or it cannot be said whether they do. */
    record Refused(String reason) implements Finding {}
  }
}

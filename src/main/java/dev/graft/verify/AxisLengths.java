package dev.graft.verify;

import dev.graft.runtime.Dimension;
import dev.graft.runtime.ModelValue;
import dev.graft.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Lengths for the free axes of a model's inputs: one for each name, guessed from the words that
 * exporters use, or from the axis where the name says nothing ({@code s77}).
 */
final class AxisLengths {

  private static final long BATCH = 2;
  private static final long SEQUENCE = 16;
  private static final long IMAGE_SIDE = 224;
  private static final long COLOURS = 3;
  private static final int PAST_AXIS = 2;

  private final SequencedMap<String, Long> bySymbol;

  /** Begins with lengths that are known by name. */
  AxisLengths(Map<String, Long> known) {
    bySymbol = new LinkedHashMap<>(known);
  }

  /** Settles the plain names before any sum of them, each where it stands by itself. */
  void settle(List<ModelValue> inputs) {
    for (ModelValue input : inputs) {
      for (int axis = 0; axis < input.dims().size(); axis++) {
        if (!input.dims().get(axis).symbol().contains("+")) {
          length(input, axis);
        }
      }
    }
  }

  /** A shape that the model admits for the input. */
  Shape shape(ModelValue input) {
    long[] dims = new long[input.dims().size()];
    for (int axis = 0; axis < dims.length; axis++) {
      dims[axis] = length(input, axis);
    }
    return Shape.of(dims);
  }

  /** The lengths that were chosen, by the model's names. */
  @Override
  public String toString() {
    return bySymbol.toString();
  }

  private long length(ModelValue input, int axis) {
    Dimension dim = input.dims().get(axis);
    if (!dim.isFree()) {
      return dim.size();
    }
    long byAxis = byAxis(input, axis);
    return dim.symbol().isEmpty() ? byAxis : bySymbol(dim.symbol(), byAxis);
  }

  private long bySymbol(String symbol, long otherwise) {
    Long known = bySymbol.get(symbol);
    if (known == null) {
      known = byWords(symbol.strip(), otherwise);
      bySymbol.put(symbol, known);
    }
    return known;
  }

  private long byWords(String symbol, long otherwise) {
    if (symbol.contains("+")) {
      long sum = 0;
      for (String term : symbol.split("\\+", -1)) {
        String plain = term.strip();
        boolean number = plain.matches("\\d{1,9}");
        sum += number ? Long.parseLong(plain) : bySymbol(plain, otherwise);
      }
      return sum;
    }
    String words = symbol.toLowerCase(Locale.ROOT);
    if (words.contains("dynamic_axes")) {
      return otherwise;
    }
    if (words.contains("batch")) {
      return BATCH;
    }
    if (words.startsWith("total_")) {
      String rest = symbol.substring("total_".length());
      return bySymbol("past_" + rest, 0) + bySymbol(rest, SEQUENCE);
    }
    if (words.contains("past")) {
      return 0;
    }
    if (words.contains("seq") || words.contains("len") || words.contains("token")) {
      return SEQUENCE;
    }
    if (words.contains("height") || words.contains("width")) {
      return IMAGE_SIDE;
    }
    return words.contains("channel") ? COLOURS : otherwise;
  }

  private static long byAxis(ModelValue input, int axis) {
    if (axis == 0) {
      return BATCH;
    }
    return isPast(input) && axis == PAST_AXIS ? 0 : SEQUENCE;
  }

  /** Whether the input belongs to the cache of earlier tokens. */
  static boolean isPast(ModelValue input) {
    return input.name().toLowerCase(Locale.ROOT).contains("past");
  }
}

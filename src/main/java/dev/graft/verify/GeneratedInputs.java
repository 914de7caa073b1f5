package dev.graft.verify;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.ModelValue;
import dev.graft.tensor.Shape;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SplittableRandom;

/**
 * Inputs made up from names, types and shapes. Each has its own random numbers, from the seed and
 * its name; a second model gets what was made for the first, and new ones only for names that are
 * new.
 */
final class GeneratedInputs implements FeedSource {

  private static final long SPREAD = 0x9e3779b97f4a7c15L;

  /** How rows of a mask end. */
  private enum Padding {
    NONE,
    /** The last row ends in padding: the side that models without a cache all understand. */
    LAST_ROW_RIGHT
  }

  private final Inputs.Generated settings;
  private final AxisLengths lengths;
  private final Map<String, HostTensor> made = new HashMap<>();

  GeneratedInputs(Inputs.Generated settings) {
    this.settings = settings;
    this.lengths = new AxisLengths(settings.dims());
  }

  @Override
  public SequencedMap<String, HostTensor> feeds(Path model, List<ModelValue> inputs) {
    lengths.settle(inputs);
    // GroupQueryAttention leaves uninitialised memory where the right is padded, and a graph with
    // it
    // has no way to say that the left is.
    Padding padding =
        inputs.stream().anyMatch(AxisLengths::isPast) ? Padding.NONE : Padding.LAST_ROW_RIGHT;
    SequencedMap<String, HostTensor> feeds = new LinkedHashMap<>();
    for (ModelValue input : inputs) {
      HostTensor tensor = made.get(input.name());
      if (tensor == null) {
        tensor = make(model, input, padding);
        made.put(input.name(), tensor);
      }
      feeds.put(input.name(), fitted(model, input, tensor));
    }
    return feeds;
  }

  @Override
  public String advice() {
    return ("; the inputs were made up, with the lengths %s and token ids below %d: if the model"
            + " cannot take these, give its inputs in a file")
        .formatted(lengths, settings.vocabulary());
  }

  private static HostTensor fitted(Path model, ModelValue input, HostTensor tensor) {
    String what = "the made-up input '%s'".formatted(input.name());
    if (!input.admits(tensor.shape())) {
      throw new FormatException(
          "%s has the shape %s, but %s wants %s; give inputs that both models take in a file"
              .formatted(what, tensor.shape(), model, input.dims()));
    }
    return Conversion.to(input.dtype(), tensor, what);
  }

  private HostTensor make(Path model, ModelValue input, Padding padding) {
    Shape shape = lengths.shape(input);
    String name = input.name().toLowerCase(Locale.ROOT);
    if (HostTensor.isFloat(input.dtype())) {
      double[] values =
          name.contains("mask")
              ? Arrays.stream(mask(shape, padding)).asDoubleStream().toArray()
              : random(name).doubles(shape.elements(), -1, 1).toArray();
      return HostTensor.ofDoubles(input.dtype(), shape, values);
    }
    if (HostTensor.isInteger(input.dtype())) {
      long[] values = name.contains("mask") ? mask(shape, padding) : integers(name, shape);
      return HostTensor.ofIntegers(input.dtype(), shape, values);
    }
    throw new UnsupportedException(
        "%s: input '%s' is %s, which cannot be made up; give the inputs in a file"
            .formatted(model, input.name(), input.signature()));
  }

  private long[] integers(String name, Shape shape) {
    long[] values = new long[Math.toIntExact(shape.elements())];
    if (name.contains("position")) {
      long row = shape.rank() == 0 ? 1 : shape.dim(shape.rank() - 1);
      Arrays.setAll(values, i -> i % row);
    } else if (isTokens(name)) {
      return random(name).longs(values.length, 1, settings.vocabulary()).toArray();
    }
    // Everything else is a type, a switch or a count: 0 is the one value that they all allow.
    return values;
  }

  private static boolean isTokens(String name) {
    boolean kind = name.contains("token_type") || name.contains("segment");
    return !kind && (name.contains("ids") || name.contains("tokens"));
  }

  private static long[] mask(Shape shape, Padding padding) {
    long[] values = new long[Math.toIntExact(shape.elements())];
    Arrays.fill(values, 1);
    if (padding == Padding.LAST_ROW_RIGHT && shape.rank() == 2 && shape.dim(0) > 1) {
      int padded = (int) (shape.dim(1) / 4);
      Arrays.fill(values, values.length - padded, values.length, 0);
    }
    return values;
  }

  private SplittableRandom random(String name) {
    return new SplittableRandom((settings.seed() * SPREAD) ^ name.hashCode());
  }
}

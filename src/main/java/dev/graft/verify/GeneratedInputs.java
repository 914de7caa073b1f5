package dev.graft.verify;

import dev.graft.error.UnsupportedException;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.ModelValue;
import dev.graft.tensor.Shape;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.SplittableRandom;

/**
 * Inputs made up from names, types and shapes. Each has its own random numbers, from the seed and its
 * name, so that another model gets the same however its inputs are ordered.
 */
final class GeneratedInputs implements FeedSource {

  private static final long SPREAD = 0x9e3779b97f4a7c15L;

  private final Inputs.Generated settings;
  private final AxisLengths lengths;

  GeneratedInputs(Inputs.Generated settings) {
    this.settings = settings;
    this.lengths = new AxisLengths(settings.dims());
  }

  @Override
  public SequencedMap<String, HostTensor> feeds(Path model, List<ModelValue> inputs) {
    lengths.settle(inputs);
    SequencedMap<String, HostTensor> feeds = new LinkedHashMap<>();
    for (ModelValue input : inputs) {
      feeds.put(input.name(), tensor(model, input));
    }
    return feeds;
  }

  @Override
  public String advice() {
    return "; the inputs were made up, with the lengths %s and token ids below %d: if the model cannot take these, give its inputs in a file"
        .formatted(lengths, settings.vocabulary());
  }

  private HostTensor tensor(Path model, ModelValue input) {
    Shape shape = lengths.shape(input);
    String name = input.name().toLowerCase(Locale.ROOT);
    if (HostTensor.isFloat(input.dtype())) {
      return HostTensor.ofDoubles(input.dtype(), shape, floats(name, shape));
    }
    if (HostTensor.isInteger(input.dtype())) {
      return HostTensor.ofIntegers(input.dtype(), shape, integers(name, shape));
    }
    throw new UnsupportedException(
        "%s: input '%s' is %s, which cannot be made up; give the inputs in a file"
            .formatted(model, input.name(), input.signature()));
  }

  private double[] floats(String name, Shape shape) {
    if (name.contains("mask")) {
      return Arrays.stream(mask(shape)).asDoubleStream().toArray();
    }
    return random(name).doubles(shape.elements(), -1, 1).toArray();
  }

  private long[] integers(String name, Shape shape) {
    if (name.contains("mask")) {
      return mask(shape);
    }
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

  /** Ones, with the end of the last row padded: the side that every kind of model understands. */
  private static long[] mask(Shape shape) {
    long[] values = new long[Math.toIntExact(shape.elements())];
    Arrays.fill(values, 1);
    if (shape.rank() == 2 && shape.dim(0) > 1) {
      int padded = (int) (shape.dim(1) / 4);
      Arrays.fill(values, values.length - padded, values.length, 0);
    }
    return values;
  }

  private SplittableRandom random(String name) {
    return new SplittableRandom((settings.seed() * SPREAD) ^ name.hashCode());
  }
}

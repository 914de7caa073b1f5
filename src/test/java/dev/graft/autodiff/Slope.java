package dev.graft.autodiff;

import static java.util.Objects.requireNonNull;

import dev.graft.runtime.HostTensor;
import dev.graft.runtime.Session;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/** The slope of a {@link Combination} along a random direction, by gradients and by differences. */
final class Slope {

  private static final double[] STEPS = {1e-2, 4e-3, 2e-3, 1e-3};

  private static final int DIRECTIONS = 8;
  private static final double GOOD = 1e-3;

  private final Session session;
  private final GradientGraph graph;
  private final String output;
  private int seed;

  Slope(Session session, GradientGraph graph, String output) {
    this.session = session;
    this.graph = graph;
    this.output = output;
  }

  /**
   * How far gradients and difference quotients are apart, relative to the root of the sum of
   * squares of the terms that the slope is made of: the slope itself may be small by chance. Of
   * several steps the one counts where two quotients agree best; and where kinks are on the way, as
   * those of ReLU, another direction is tried.
   */
  double error(Map<String, HostTensor> point) {
    double least = Double.POSITIVE_INFINITY;
    for (seed = 0; seed < DIRECTIONS && least > GOOD; seed++) {
      least = Math.min(least, errorAlong(point));
    }
    return least;
  }

  private double errorAlong(Map<String, HostTensor> point) {
    double best = Double.POSITIVE_INFINITY;
    double quotient = 0;
    double last = quotient(point, STEPS[0]);
    for (int i = 1; i < STEPS.length; i++) {
      double next = quotient(point, STEPS[i]);
      if (Math.abs(next - last) < best) {
        best = Math.abs(next - last);
        quotient = next;
      }
      last = next;
    }
    double[] terms = terms(point);
    double product = Arrays.stream(terms).sum();
    double size = Math.sqrt(Arrays.stream(terms).map(t -> t * t).sum());
    return Math.abs(quotient - product) / size;
  }

  /** The products of gradient and direction, element by element. */
  private double[] terms(Map<String, HostTensor> point) {
    List<String> wanted = new ArrayList<>(graph.gradients().values());
    Map<String, HostTensor> gradients = session.run(point, wanted, Arena.ofAuto());
    return graph.gradients().entrySet().stream()
        .flatMapToDouble(entry -> {
          double[] along = direction(entry.getKey(), get(point, entry.getKey()));
          double[] gradient = get(gradients, entry.getValue()).toDoubles();
          return IntStream.range(0, along.length).mapToDouble(i -> along[i] * gradient[i]);
        })
        .toArray();
  }

  /** A difference quotient of fourth order. */
  private double quotient(Map<String, HostTensor> point, double step) {
    double near = loss(point, step) - loss(point, -step);
    double far = loss(point, 2 * step) - loss(point, -2 * step);
    return (8 * near - far) / (12 * step);
  }

  private double loss(Map<String, HostTensor> point, double by) {
    Map<String, HostTensor> moved = new HashMap<>(point);
    for (String name : graph.gradients().keySet()) {
      HostTensor from = get(point, name);
      double[] values = from.toDoubles();
      double[] along = direction(name, from);
      for (int i = 0; i < values.length; i++) {
        values[i] += by * along[i];
      }
      moved.put(name, HostTensor.ofDoubles(from.dtype(), from.shape(), values));
    }
    double[] found = get(session.run(moved, List.of(output), Arena.ofAuto()), output).toDoubles();
    double[] weights = get(point, Combination.WEIGHTS).toDoubles();
    double loss = 0;
    for (int i = 0; i < found.length; i++) {
      loss += found[i] * weights[i];
    }
    return loss;
  }

  /** A random direction, about as long in each tensor as the tensor itself. */
  private double[] direction(String name, HostTensor tensor) {
    double size = 0;
    for (double value : tensor.toDoubles()) {
      size = Math.max(size, Math.abs(value));
    }
    double[] along = random(tensor.shape(), name.hashCode() + seed).toDoubles();
    for (int i = 0; i < along.length; i++) {
      along[i] *= size == 0 ? 0.1 : size;
    }
    return along;
  }

  static HostTensor random(Shape shape, long seed) {
    Random random = new Random(seed);
    double[] values = new double[Math.toIntExact(shape.elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextGaussian();
    }
    return HostTensor.ofDoubles(DType.FLOAT32, shape, values);
  }

  private static HostTensor get(Map<String, HostTensor> tensors, String name) {
    return requireNonNull(tensors.get(name), name);
  }
}

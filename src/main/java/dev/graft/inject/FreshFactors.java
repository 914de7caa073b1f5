package dev.graft.inject;

import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import java.util.Random;

/**
 * The first values of a pair, as PEFT draws them. Each module has a stream of its own, made of the
 * seed and its name, so that the same seed gives the same adapter whatever else is targeted.
 */
final class FreshFactors {

  private final Initialisation how;
  private final long seed;

  FreshFactors(Initialisation how, long seed) {
    this.how = how;
    this.seed = seed;
  }

  /** How factors begin. */
  enum Initialisation {
    /** A from Kaiming's uniform distribution, B zero. */
    TRUE,
    /** Both as PyTorch begins a linear layer, so that the adapter does something at once. */
    FALSE,
    /** A from a normal distribution with deviation 1/r, B zero. */
    GAUSSIAN,
    /** A and B from the odd and the even rows of one random rotation. */
    ORTHOGONAL;

    /**
     * Reads PEFT's {@code init_lora_weights}.
     *
     * @throws UsageException if it is nothing that PEFT has
     * @throws UnsupportedException if it changes the base, or needs data
     */
    static Initialisation parse(String text) {
      return switch (text) {
        case "true" -> TRUE;
        case "false" -> FALSE;
        case "gaussian" -> GAUSSIAN;
        case "orthogonal" -> ORTHOGONAL;
        case "pissa", "olora", "corda", "loftq", "lora_ga", "eva", "mica" ->
            throw new UnsupportedException(
                "init_lora_weights '%s' changes the base or needs training data; choose true, false, gaussian or orthogonal"
                    .formatted(text));
        default ->
            throw new UsageException(
                "init_lora_weights is '%s', expected true, false, gaussian or orthogonal"
                    .formatted(text));
      };
    }
  }

  /**
   * Two matrices.
   *
   * @param a {@code [r, in]}, row after row
   * @param b {@code [out, r]}, row after row
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Factors(float[] a, float[] b) {}

  /**
   * The factors of a linear layer or a convolution, whose kernel counts with the inputs.
   *
   * @throws UsageException if the rank does not go with the initialisation
   */
  Factors linear(String module, Sizes sizes) {
    Random random = random(module);
    float[] a = factor(module, sizes.rank(), sizes.in());
    float[] b = factor(module, sizes.out(), sizes.rank());
    switch (how) {
      case TRUE -> uniform(random, a, sizes.in());
      case FALSE -> {
        uniform(random, a, sizes.in());
        uniform(random, b, sizes.rank());
      }
      case GAUSSIAN -> normal(random, a, 1.0 / sizes.rank());
      case ORTHOGONAL -> orthogonal(module, sizes, new Factors(a, b));
    }
    return new Factors(a, b);
  }

  /** The factors of a table: A zero, B normal, whatever is asked for, as in PEFT. */
  Factors table(String module, Sizes sizes) {
    float[] a = factor(module, sizes.rank(), sizes.in());
    float[] b = factor(module, sizes.out(), sizes.rank());
    normal(random(module), b, 1);
    return new Factors(a, b);
  }

  private static float[] factor(String module, int rows, int columns) {
    long values = (long) rows * columns;
    if (values > BaseValues.MAX_ELEMENTS) {
      throw new UnsupportedException(
          "%s: a factor of %d x %d has %,d values, more than the %,d that can be held; choose a smaller rank"
              .formatted(module, rows, columns, values, BaseValues.MAX_ELEMENTS));
    }
    return new float[(int) values];
  }

  /**
   * How large a pair is.
   *
   * @param rank r
   * @param in how many values A reads
   * @param out how many B makes
   */
  record Sizes(int rank, int in, int out) {}

  /** Kaiming's distribution with a = √5, which comes to ±1/√n for n inputs. */
  private static void uniform(Random random, float[] into, int inputs) {
    double bound = 1 / Math.sqrt(inputs);
    for (int i = 0; i < into.length; i++) {
      into[i] = (float) ((2 * random.nextDouble() - 1) * bound);
    }
  }

  private static void normal(Random random, float[] into, double deviation) {
    for (int i = 0; i < into.length; i++) {
      into[i] = (float) (random.nextGaussian() * deviation);
    }
  }

  /** A is the odd rows of a rotation mixed at random, B the even ones, so A·Bᵀ-overlap is none. */
  private void orthogonal(String module, Sizes sizes, Factors into) {
    int rank = sizes.rank();
    if (rank % 2 != 0) {
      throw new UsageException(
          "%s: init_lora_weights orthogonal needs an even rank, but it is %d"
              .formatted(module, rank));
    }
    Random random = random(module);
    double[][] rotation = rotation(random, rank);
    for (int i = 0; i < sizes.in(); i++) {
      double[] mixed = mixed(random, rotation, 0);
      for (int r = 0; r < rank; r++) {
        into.a()[r * sizes.in() + i] = (float) (mixed[r] / 10);
      }
    }
    for (int o = 0; o < sizes.out(); o++) {
      double[] mixed = mixed(random, rotation, 1);
      for (int r = 0; r < rank; r++) {
        into.b()[o * rank + r] = (float) (mixed[r] / 10);
      }
    }
  }

  /** A normal combination of every second row. */
  private static double[] mixed(Random random, double[][] rows, int first) {
    double[] sum = new double[rows.length];
    for (int row = first; row < rows.length; row += 2) {
      double factor = random.nextGaussian();
      for (int i = 0; i < sum.length; i++) {
        sum[i] += factor * rows[row][i];
      }
    }
    return sum;
  }

  /** Rows of length 1 at right angles, by Gram and Schmidt's method done twice. */
  private static double[][] rotation(Random random, int size) {
    double[][] rows = new double[size][size];
    for (int row = 0; row < size; row++) {
      for (int i = 0; i < size; i++) {
        rows[row][i] = random.nextGaussian();
      }
      for (int pass = 0; pass < 2; pass++) {
        for (int other = 0; other < row; other++) {
          double shadow = dot(rows[row], rows[other]);
          for (int i = 0; i < size; i++) {
            rows[row][i] -= shadow * rows[other][i];
          }
        }
      }
      double length = Math.sqrt(dot(rows[row], rows[row]));
      for (int i = 0; i < size; i++) {
        rows[row][i] /= length;
      }
    }
    return rows;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private Random random(String module) {
    long mixed = seed * 0x9E3779B97F4A7C15L;
    for (int i = 0; i < module.length(); i++) {
      mixed = (mixed ^ module.charAt(i)) * 0x100000001B3L;
    }
    return new Random(mixed);
  }
}

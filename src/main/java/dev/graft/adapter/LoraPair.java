package dev.graft.adapter;

import dev.graft.safetensors.SafetensorsTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A low-rank delta for one module: {@code scale · B · A} in torch's layout, with what goes with it.
 *
 * @param module the module's full name in the base model; empty if the adapter sits on the model
 *     itself
 * @param kind how A and B are laid out
 * @param factors the tensors
 * @param scaling rank and strength by the configuration; the rank is the one that the shapes show
 */
public record LoraPair(String module, Kind kind, Factors factors, Scaling scaling)
    implements AdapterTarget {

  /** How the factors are laid out. */
  public enum Kind {
    /** A [r, in], B [out, r]; for a convolution A [r, in, k..], B [out, r, 1..]. */
    LINEAR_OR_CONV,
    /** A [r, rows of the table], B [width, r]: the table [rows, width] gets (B·A) transposed. */
    EMBEDDING,
    /**
     * A parameter targeted directly ({@code target_parameters}): A [r·E, in], B [out, r·E] for E
     * experts. A's rows go expert by expert, B's columns rank by rank: A is read as [E, r, in], B
     * as [out, r, E].
     */
    PARAMETER
  }

  /**
   * The tensors of a pair.
   *
   * @param a the factor next to the input
   * @param b the factor next to the output
   * @param extras what not every pair has
   */
  public record Factors(SafetensorsTensor a, SafetensorsTensor b, Extras extras) {}

  /**
   * What not every pair has.
   *
   * @param magnitude DoRA's magnitude, one value for each output (for an embedding, each column),
   *     or null
   * @param biasOfB the bias of B, [out], which times the scale goes onto the module's bias, or null
   * @param blocks how many blocks A and B have where {@code use_bdlora} saved them without their
   *     zeros
   * @param parameters for {@link Kind#PARAMETER} what the pair may stand for
   */
  public record Extras(
      @Nullable SafetensorsTensor magnitude,
      @Nullable SafetensorsTensor biasOfB,
      Blocks blocks,
      Parameters parameters) {}

  /**
   * Blocks of a block-diagonal factor, saved below each other; 1 where the factor is full.
   *
   * @param ofA A is [r, in / ofA], block i holding rows i·r/ofA and on
   * @param ofB B is [out, r / ofB], block i holding rows i·out/ofB and on
   */
  public record Blocks(int ofA, int ofB) {}

  /**
   * The parameters of the module that a pair of kind {@link Kind#PARAMETER} may stand for.
   *
   * <p>PEFT nests one wrapper for each targeted parameter of a module and does not save which is
   * which: the innermost is the one that the module declares first. Shapes tell them apart nearly
   * always.
   *
   * @param scalings the names that {@code target_parameters} gives for this module, usually one,
   *     with the rank and strength that each has by the configuration
   * @param depth how many wrappers lie around this one
   */
  public record Parameters(Map<String, Scaling> scalings, int depth) {
    /** Copies the names. */
    public Parameters {
      scalings = Map.copyOf(scalings);
    }

    /** The names, sorted. */
    public List<String> candidates() {
      return scalings.keySet().stream().sorted().toList();
    }
  }

  /** The factor next to the input. */
  public SafetensorsTensor a() {
    return factors.a();
  }

  /** The factor next to the output. */
  public SafetensorsTensor b() {
    return factors.b();
  }

  /** DoRA's magnitude vector. */
  public Optional<SafetensorsTensor> magnitude() {
    return Optional.ofNullable(factors.extras().magnitude());
  }

  /** The bias of B. */
  public Optional<SafetensorsTensor> biasOfB() {
    return Optional.ofNullable(factors.extras().biasOfB());
  }

  /** The blocks of a block-diagonal pair, 1 and 1 for a usual one. */
  public Blocks blocks() {
    return factors.extras().blocks();
  }

  /**
   * What a pair of kind {@link Kind#PARAMETER} may stand for; no candidates for the other kinds.
   */
  public Parameters parameters() {
    return factors.extras().parameters();
  }

  /**
   * The rank, that of one expert for {@link Kind#PARAMETER}; where several parameters come into
   * question, that of one of them.
   */
  public int rank() {
    return scaling.rank();
  }

  /** What B·A is multiplied with. */
  public double scale() {
    return scaling.factor();
  }

  /**
   * Which of the {@link #parameters()} a pair of kind {@link Kind#PARAMETER} may be for, if it
   * holds so many experts, by the rank that each has.
   */
  public List<String> parametersFor(long experts) {
    return parameters().candidates().stream()
        .filter(name -> ranks(name) * experts == a().shape().dim(0))
        .toList();
  }

  private long ranks(String parameter) {
    Scaling found = parameters().scalings().get(parameter);
    return found == null ? 0 : found.rank();
  }

  @Override
  public String target() {
    return module;
  }

  @Override
  public List<SafetensorsTensor> tensors() {
    List<SafetensorsTensor> all = new ArrayList<>(List.of(a(), b()));
    magnitude().ifPresent(all::add);
    biasOfB().ifPresent(all::add);
    return List.copyOf(all);
  }
}

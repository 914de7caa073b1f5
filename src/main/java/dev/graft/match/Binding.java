package dev.graft.match;

import dev.graft.error.BindingException;
import dev.graft.error.GraftException;
import dev.graft.error.UnsupportedException;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Which adapter target belongs where.
 *
 * @param model how messages name the model
 * @param adapter how messages name the adapter
 * @param prefix how the adapter's names became the file's
 * @param bound targets with a place, in the adapter's order
 * @param misses targets without one
 * @param warnings what to know of the places that were found
 */
public record Binding(
    String model,
    String adapter,
    Prefix prefix,
    List<BoundTarget> bound,
    List<Miss> misses,
    List<String> warnings) {

  private static final int SHOWN = 20;

  /** Keeps own copies. */
  public Binding {
    bound = List.copyOf(bound);
    misses = List.copyOf(misses);
    warnings = List.copyOf(warnings);
  }

  /** How many targets have their place; one that the file splits has several and counts once. */
  public int boundTargets() {
    return Math.toIntExact(bound.stream().map(BoundTarget::label).distinct().count());
  }

  /**
   * Returns only if every target has its place.
   *
   * @throws UnsupportedException if a target's weight is there but quantised or cannot be changed
   *     exactly
   * @throws BindingException otherwise, with every miss
   */
  public void requireComplete() {
    if (misses.isEmpty()) {
      return;
    }
    throw failure();
  }

  private GraftException failure() {
    List<Miss> quantised = misses.stream().filter(m -> m.cause() == Miss.Cause.QUANTISED).toList();
    if (!quantised.isEmpty()) {
      return new UnsupportedException(
          "%s: %d of the adapter's %d targets lie on quantised weights, which a fold would round again:%n%s%nFold into the float model first and quantise the result."
              .formatted(model, quantised.size(), boundTargets() + misses.size(), list(quantised)));
    }
    String message =
        "%s does not fit %s: %d of %d targets are bound, %d are not:%n%s"
            .formatted(
                adapter,
                model,
                boundTargets(),
                boundTargets() + misses.size(),
                misses.size(),
                list(misses));
    boolean unsupported = misses.stream().allMatch(m -> m.cause() == Miss.Cause.UNSUPPORTED);
    return unsupported
        ? new UnsupportedException(message)
        : new BindingException(
            message
                + "%nSee the names with `graft inspect -m MODEL`; --prefix FROM=TO or --map FILE can join them."
                    .formatted());
  }

  private static String list(List<Miss> misses) {
    String shown =
        misses.stream().limit(SHOWN).map(m -> "  " + m).collect(Collectors.joining("\n"));
    return misses.size() <= SHOWN
        ? shown
        : shown + "\n  … and " + (misses.size() - SHOWN) + " more (inspect --json lists all)";
  }
}

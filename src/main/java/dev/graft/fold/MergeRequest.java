package dev.graft.fold;

import dev.graft.match.Binder;
import java.nio.file.Path;

/**
 * What to merge.
 *
 * @param model the base model
 * @param adapter the adapter's folder or file
 * @param weight a factor on the adapter's change, usually 1
 * @param output where the merged model is to appear
 * @param options how names are joined
 * @param repeat whether an adapter may be folded in a second time
 */
public record MergeRequest(
    Path model, Path adapter, double weight, Path output, Binder.Options options, Repeat repeat) {

  /** Whether an adapter that the model holds already may be folded in again. */
  public enum Repeat {
    REFUSED,
    ALLOWED
  }

  /** A plain merge with names derived and weight 1. */
  public static MergeRequest of(Path model, Path adapter, Path output) {
    return new MergeRequest(model, adapter, 1, output, Binder.Options.DERIVED, Repeat.REFUSED);
  }
}

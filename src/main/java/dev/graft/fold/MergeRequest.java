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
 * @param place whether the output is the model itself
 */
public record MergeRequest(
    Path model,
    Path adapter,
    double weight,
    Path output,
    Binder.Options options,
    Repeat repeat,
    Place place) {

  /** Where the merged model goes. */
  public enum Place {
    APART,
    IN_PLACE
  }

  /** Whether an adapter that the model holds already may be folded in again. */
  public enum Repeat {
    REFUSED,
    ALLOWED
  }

  /** A merge into a file of its own. */
  public MergeRequest(
      Path model, Path adapter, double weight, Path output, Binder.Options options, Repeat repeat) {
    this(model, adapter, weight, output, options, repeat, Place.APART);
  }

  /** The same merge into the model's own files. */
  public MergeRequest inPlace() {
    return new MergeRequest(model, adapter, weight, model, options, repeat, Place.IN_PLACE);
  }

  /** A plain merge with names derived and weight 1. */
  public static MergeRequest of(Path model, Path adapter, Path output) {
    return new MergeRequest(model, adapter, 1, output, Binder.Options.DERIVED, Repeat.REFUSED);
  }
}

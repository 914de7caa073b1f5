package dev.graft.cli;

import dev.graft.match.Binding;
import dev.graft.match.Miss;
import dev.graft.match.Prefix;
import java.util.List;
import java.util.Locale;

/**
 * Which target of an adapter belongs where in a model.
 *
 * @param complete whether every target is bound
 * @param prefix how the adapter's names become the model's
 * @param bound targets with a place
 * @param misses targets without one
 * @param warnings what to know of the places
 */
record BindingReport(
    boolean complete,
    PrefixEntry prefix,
    List<BoundEntry> bound,
    List<MissEntry> misses,
    List<String> warnings) {

  /**
   * A prefix.
   *
   * @param from what is taken off the front of the adapter's names
   * @param to what is put there
   */
  record PrefixEntry(String from, String to) {
    static PrefixEntry of(Prefix prefix) {
      return new PrefixEntry(prefix.from(), prefix.to());
    }

    @Override
    public String toString() {
      return from.isEmpty() && to.isEmpty()
          ? "none, the names agree"
          : "'" + from + "' of the adapter is '" + to + "' in the model";
    }
  }

  /**
   * A target without a place.
   *
   * @param target the adapter's name for it
   * @param reason why not
   * @param nearest names in the model that look most alike
   * @param cause a word for programs
   */
  record MissEntry(String target, String reason, List<String> nearest, String cause) {
    static MissEntry of(Miss miss) {
      return new MissEntry(
          miss.name(), miss.reason(), miss.nearest(), miss.cause().name().toLowerCase(Locale.ROOT));
    }
  }

  /**
   * A report of a binding.
   *
   * @param weight the user's factor
   */
  static BindingReport of(Binding binding, double weight) {
    return new BindingReport(
        binding.misses().isEmpty(),
        PrefixEntry.of(binding.prefix()),
        binding.bound().stream().map(b -> BoundEntry.of(b, weight)).toList(),
        binding.misses().stream().map(MissEntry::of).toList(),
        binding.warnings());
  }

  /** How many targets have a place; one that the file splits counts once. */
  long boundTargets() {
    return bound.stream().map(BoundEntry::target).distinct().count();
  }
}

package dev.graft.cli;

import dev.graft.autodiff.Objective.Activations;
import picocli.CommandLine.Option;

/** What a training graph keeps in memory. */
final class MemoryOptions {

  @Option(
      names = "--gradient-checkpointing",
      paramLabel = "true|false",
      arity = "0..1",
      fallbackValue = "true",
      description =
          "Compute the attention and the feed-forward part of each layer a second time for its gradient"
              + " rather than keep what they computed: less memory, more time, other roundings.")
  private boolean checkpointing;

  Activations toActivations() {
    return checkpointing ? Activations.RECOMPUTED : Activations.KEPT;
  }
}

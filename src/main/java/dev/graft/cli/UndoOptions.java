package dev.graft.cli;

import dev.graft.error.UsageException;
import dev.graft.fold.UndoPolicy;
import picocli.CommandLine.Option;

/** What a merge keeps for taking it back. */
final class UndoOptions {

  @Option(
      names = "--no-undo",
      description =
          "Write no undo record; then only a merge from the base leads to another adapter.")
  private boolean none;

  @Option(
      names = "--undo-without-adapter",
      description =
          "Leave the adapter's tensors out of the undo record; unmerge and switch then need the adapter.")
  private boolean withoutAdapter;

  UndoPolicy policy() {
    if (none && withoutAdapter) {
      throw new UsageException("--no-undo and --undo-without-adapter exclude each other");
    }
    return none ? UndoPolicy.NONE : withoutAdapter ? UndoPolicy.WITHOUT_ADAPTER : UndoPolicy.KEPT;
  }

  /**
   * Sees that nothing is asked of a record where none is written.
   *
   * @throws UsageException if something is
   */
  void requireNoRecord() {
    if (withoutAdapter) {
      throw new UsageException(
          "--undo-without-adapter says how the undo record is written, but a thin model has none: its base is there itself");
    }
  }
}

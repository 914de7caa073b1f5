package dev.graft.fold;

import dev.graft.fold.FoldedTensor.Part;
import java.util.List;

/** How a tensor's old values are kept in an undo record. */
enum UndoKind {
  /** What was added can be made again; kept is where subtraction goes wrong. */
  ADDED,
  /** The same, and what the sum was multiplied with is kept as well. */
  SCALED,
  /** The old values are kept, as their difference from the new ones. */
  REPLACED;

  static UndoKind of(FoldedTensor tensor) {
    List<Part> parts = tensor.parts();
    boolean multiplied = parts.stream().anyMatch(p -> p.change() instanceof Change.Dora);
    boolean replaced =
        parts.stream()
            .anyMatch(p -> p.change() instanceof Change.Whole || p.change() instanceof Change.Rows);
    // One factor cannot stand for what came before and behind it.
    boolean stacked = parts.size() > 1 && parts.stream().allMatch(p -> p.region().isAll());
    if (replaced || (multiplied && stacked)) {
      return REPLACED;
    }
    return multiplied ? SCALED : ADDED;
  }
}

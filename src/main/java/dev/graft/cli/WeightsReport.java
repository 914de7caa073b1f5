package dev.graft.cli;

import dev.graft.fold.FoldCheck;
import java.util.List;

/**
 * What {@code verify --weights} found.
 *
 * @param schema version of the report
 * @param verb the verb
 * @param candidate the merged model
 * @param base what it was merged from
 * @param adapter what was folded in
 * @param weight the user's factor
 * @param holds whether the file is exactly what the merge makes
 * @param found tensors, nodes and bytes that were compared
 */
record WeightsReport(
    int schema,
    String verb,
    String candidate,
    String base,
    String adapter,
    double weight,
    boolean holds,
    FoldCheck.Report found) {

  /** The differences that text shows; JSON has all. */
  private static final int SHOWN = 20;

  /** The report's table. */
  Table table() {
    Table table = Table.of(Table.left(""), Table.left(""));
    table.row("candidate", candidate);
    table.row("base", base);
    table.row("adapter", adapter + (weight == 1 ? "" : ", weight " + Figures.factor(weight)));
    table.row("folded", found.folded() + " tensors must be the fold");
    table.row("unchanged", found.unchanged() + " tensors must be the base's");
    table.row("nodes", Figures.count(found.nodes()) + " are what they should be");
    table.row("compared", Figures.bytes(found.bytes()) + ", byte for byte");
    for (FoldCheck.Difference difference : shown()) {
      table.row(
          "DIFFERENT",
          difference.name()
              + ": expected "
              + difference.expected()
              + ", found "
              + difference.found());
    }
    if (found.differences().size() > SHOWN) {
      table.row("", "and " + (found.differences().size() - SHOWN) + " more (--json lists all)");
    }
    table.row("", holds ? "the check holds" : "the check does not hold");
    return table;
  }

  private List<FoldCheck.Difference> shown() {
    return found.differences().stream().limit(SHOWN).toList();
  }
}

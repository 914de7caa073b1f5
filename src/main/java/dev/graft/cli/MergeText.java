package dev.graft.cli;

import dev.graft.fold.GraphChange;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The report of {@code merge} as text. */
final class MergeText {

  /** More than a screen shows; an adapter may bring a bias for every layer. */
  private static final int MAX_CHANGES = 12;

  private MergeText() {}

  static void print(PrintWriter out, MergeReport done) {
    Table table = Table.of(Table.left(""), Table.left(""));
    table.row("bound", bound(done.sites()));
    table.row("prefix", done.prefix().toString());
    table.row("touched", touched(done.figures()));
    if (done.figures().splitBytes() > 0) {
      table.row(
          "split", Figures.bytes(done.figures().splitBytes()) + " for copies of shared weights");
    }
    moved(done.figures()).ifPresent(moved -> table.row("moved", moved));
    done.figures().undo().ifPresent(undo -> table.row("undo", undo(undo)));
    changes(done, table);
    table.row("time", time(done.figures()));
    done.carried().forEach(file -> table.row("carried", file));
    done.notes().forEach(note -> table.row("note", note));
    done.leftOver().forEach(file -> table.row("left over", file + " could not be deleted"));
    if (done.dryRun()) {
      table.row("output", "none, this was a dry run");
    }
    for (FileEntry file : done.files().outputs()) {
      table.row("output", file.path() + ", " + Figures.bytes(file.bytes()));
    }
    table.print(out, "");
  }

  /** What is no longer as in the base, beside the values of tensors; nothing as a rule. */
  private static void changes(MergeReport done, Table table) {
    List<GraphChange> changes = done.graphChanges();
    changes.stream()
        .limit(MAX_CHANGES)
        .forEach(c -> table.row("graph", c.kind() + " '" + c.name() + "': " + c.detail()));
    if (changes.size() > MAX_CHANGES) {
      int more = changes.size() - MAX_CHANGES;
      table.row("graph", more + " more changes of this kind (--json lists all)");
    }
  }

  /** How many targets each rule found. */
  static String bound(List<BoundEntry> sites) {
    // A target that the file splits has several sites.
    Map<String, String> rules =
        sites.stream()
            .collect(Collectors.toMap(BoundEntry::target, BoundEntry::rule, (one, other) -> one));
    Map<String, Long> counts =
        rules.values().stream()
            .collect(
                Collectors.groupingBy(Function.identity(), TreeMap::new, Collectors.counting()));
    return counts.entrySet().stream()
        .map(e -> e.getValue() + " by " + e.getKey())
        .collect(Collectors.joining(", ", rules.size() + " targets: ", ""));
  }

  static String touched(MergeReport.Numbers figures) {
    return Figures.bytes(figures.touchedBytes()) + " of " + Figures.bytes(figures.totalBytes());
  }

  private static Optional<String> moved(MergeReport.Numbers figures) {
    return figures
        .readBytes()
        .flatMap(read ->
            figures
                .writtenBytes()
                .map(written ->
                    Figures.bytes(read) + " read, " + Figures.bytes(written) + " written"));
  }

  private static String undo(MergeReport.Undo undo) {
    return "%s: %s for the adapter, %s of corrections to %s"
        .formatted(
            Figures.bytes(undo.bytes()),
            Figures.bytes(undo.adapter()),
            Figures.bytes(undo.corrections()),
            Figures.bytes(undo.addedTo()));
  }

  static String time(MergeReport.Numbers figures) {
    String speed =
        figures
            .megabytesPerSecond()
            .map(rate -> ", " + Figures.count(Math.round(rate)) + " MB/s")
            .orElse("");
    return Figures.seconds(figures.seconds()) + speed;
  }
}

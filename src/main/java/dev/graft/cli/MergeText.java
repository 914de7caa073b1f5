package dev.graft.cli;

import java.io.PrintWriter;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The report of {@code merge} as text. */
final class MergeText {

  private MergeText() {}

  static void print(PrintWriter out, MergeReport done) {
    Table table = Table.of(Table.left(""), Table.left(""));
    table.row("bound", bound(done));
    table.row("prefix", done.prefix().toString());
    table.row("touched", touched(done.figures()));
    if (done.figures().splitBytes() > 0) {
      table.row(
          "split", Figures.bytes(done.figures().splitBytes()) + " for copies of shared weights");
    }
    table.row("time", time(done.figures()));
    done.carried().forEach(file -> table.row("carried", file));
    done.leftOver().forEach(file -> table.row("left over", file + " could not be deleted"));
    if (done.dryRun()) {
      table.row("output", "none, this was a dry run");
    }
    for (FileEntry file : done.files().outputs()) {
      table.row("output", file.path() + ", " + Figures.bytes(file.bytes()));
    }
    table.print(out, "");
  }

  /** How many targets each rule found. */
  static String bound(MergeReport merge) {
    // A target that the file splits has several sites.
    Map<String, String> rules =
        merge.sites().stream()
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

  static String time(MergeReport.Numbers figures) {
    String speed =
        figures
            .megabytesPerSecond()
            .map(rate -> ", " + Figures.count(Math.round(rate)) + " MB/s")
            .orElse("");
    return Figures.seconds(figures.seconds()) + speed;
  }
}

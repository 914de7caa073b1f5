package dev.graft.cli;

import java.io.PrintWriter;
import java.util.Map;
import java.util.Optional;
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
    moved(done.figures()).ifPresent(moved -> table.row("moved", moved));
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
    Map<String, Long> counts =
        merge.sites().stream()
            .map(BoundEntry::rule)
            .collect(
                Collectors.groupingBy(Function.identity(), TreeMap::new, Collectors.counting()));
    return counts.entrySet().stream()
        .map(e -> e.getValue() + " by " + e.getKey())
        .collect(Collectors.joining(", ", merge.sites().size() + " targets: ", ""));
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

  static String time(MergeReport.Numbers figures) {
    String speed =
        figures
            .megabytesPerSecond()
            .map(rate -> ", " + Figures.count(Math.round(rate)) + " MB/s")
            .orElse("");
    return Figures.seconds(figures.seconds()) + speed;
  }
}

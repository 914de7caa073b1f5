package dev.graft.cli;

import static dev.graft.cli.Table.left;
import static dev.graft.cli.Table.right;

import java.io.PrintWriter;

/** The report of the demo as text. */
final class DemoText {

  private static final String INDENT = "  ";

  private final PrintWriter out;

  DemoText(PrintWriter out) {
    this.out = out;
  }

  void print(DemoReport report) {
    out.println("A sentiment adapter that PEFT trained, folded into all-MiniLM-L6-v2");
    out.println();
    merge(report.merge());
    out.println();
    checks(report);
    out.println();
    out.println(report.holds() ? "every check holds" : "A CHECK DOES NOT HOLD");
    out.println("try it: graft inspect -m " + report.merge().request().output());
  }

  private void merge(MergeReport merge) {
    MergeReport.Numbers figures = merge.figures();
    Table table = Table.of(left(""), left(""));
    table.row("model", merge.request().model() + ", " + Figures.bytes(figures.totalBytes()));
    table.row("adapter", merge.request().adapter());
    table.row("bound", MergeText.bound(merge.sites()));
    table.row("prefix", merge.prefix().toString());
    table.row("touched", MergeText.touched(figures));
    table.row("time", MergeText.time(figures));
    for (FileEntry file : merge.files().outputs()) {
      table.row("output", file.path() + ", " + Figures.bytes(file.bytes()));
      table.row("SHA-256", file.sha256().orElse("-"));
    }
    table.print(out, INDENT);
  }

  private void checks(DemoReport report) {
    Table table = Table.of(left("check"), right("largest error"), right("allowed"), left(""));
    for (DemoReport.Check check : report.checks()) {
      table.row(
          check.what(),
          Figures.error(check.maxAbs()),
          Figures.error(check.atol()),
          verdict(check.holds()));
    }
    DemoReport.Nodes nodes = report.nodes();
    table.row(
        "nodes that are the base's, byte for byte",
        nodes.same() + " of " + nodes.total(),
        "all",
        verdict(nodes.same() == nodes.total()));
    for (DemoReport.Same same : report.files()) {
      table.row(
          same.what(),
          same.found().substring(0, 12),
          same.expected().substring(0, 12),
          verdict(same.holds()));
    }
    table.print(out, INDENT);
    out.println();
    out.println(
        INDENT
            + "The adapter moves the embeddings by up to "
            + Figures.error(report.moved())
            + ".");
  }

  private static String verdict(boolean holds) {
    return holds ? "holds" : "DOES NOT HOLD";
  }
}

package dev.graft.cli;

import java.io.PrintWriter;

/** The report of {@code insert} as text. */
final class InsertText {

  private InsertText() {}

  static void print(PrintWriter out, InsertReport done) {
    Table table = Table.of(Table.left(""), Table.left(""));
    table.row("bound", MergeText.bound(done.sites()));
    table.row("prefix", done.prefix().toString());
    table.row("branches", Figures.count(done.tensors().size()) + " tensors of the adapter");
    table.row("time", Figures.seconds(done.seconds()));
    done.carried().forEach(file -> table.row("carried", file));
    done.notes().forEach(note -> table.row("note", note));
    done.leftOver().forEach(file -> table.row("left over", file + " could not be deleted"));
    for (FileEntry file : done.outputs()) {
      table.row("output", file.path() + ", " + Figures.bytes(file.bytes()));
    }
    table.print(out, "");
    out.println(done.parameters());
  }
}

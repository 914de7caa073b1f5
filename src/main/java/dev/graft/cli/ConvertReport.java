package dev.graft.cli;

import dev.graft.cli.BindingReport.PrefixEntry;
import dev.graft.inject.SlotConversion;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;

/**
 * What {@code convert} did.
 *
 * @param schema version of the report
 * @param verb the verb
 * @param tool name and version of the program
 * @param request what was asked for
 * @param prefix how the adapter's names become the model's
 * @param inputs the model's inputs that the file feeds
 * @param seconds from the start to the commit
 * @param output the file that was written
 * @param warnings what to know about the adapter
 */
record ConvertReport(
    int schema,
    String verb,
    String tool,
    Request request,
    PrefixEntry prefix,
    List<String> inputs,
    double seconds,
    FileEntry output,
    List<String> warnings) {

  /**
   * What was asked for.
   *
   * @param model the model as it was given
   * @param adapter the adapter as it was given
   * @param output the output as it was given
   */
  record Request(String model, String adapter, String output) {}

  static ConvertReport of(Request request, SlotConversion conversion, double seconds) {
    return new ConvertReport(
        Json.SCHEMA,
        "convert",
        MergeRun.tool(),
        request,
        PrefixEntry.of(conversion.binding().prefix()),
        conversion.inputs(),
        seconds,
        FileEntry.of(Path.of(request.output())),
        conversion.adapter().warnings());
  }

  static void print(PrintWriter out, ConvertReport done) {
    Table table = Table.of(Table.left(""), Table.left(""));
    table.row("prefix", done.prefix().toString());
    table.row("slots", Figures.count(done.inputs().size()) + " inputs are fed");
    table.row("time", Figures.seconds(done.seconds()));
    table.row("output", done.output().path() + ", " + Figures.bytes(done.output().bytes()));
    table.print(out, "");
  }
}

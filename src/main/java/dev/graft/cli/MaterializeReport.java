package dev.graft.cli;

import dev.graft.fold.Materialize;
import java.nio.file.Path;
import java.util.List;

/**
 * What {@code materialize} did.
 *
 * @param schema version of the report
 * @param verb the verb
 * @param tool name and version of the program
 * @param model the thin model as it was given
 * @param output the output as it was given
 * @param readBytes really read
 * @param writtenBytes really written
 * @param seconds from the start to the commit
 * @param outputs every file that was written
 * @param carried config and tokenizer files that went along
 * @param notes what the user has to see to beside the model
 * @param leftOver files of an older output that could not be deleted
 */
record MaterializeReport(
    int schema,
    String verb,
    String tool,
    String model,
    String output,
    long readBytes,
    long writtenBytes,
    double seconds,
    List<FileEntry> outputs,
    List<String> carried,
    List<String> notes,
    List<String> leftOver) {

  /**
   * What was asked for.
   *
   * @param model the thin model
   * @param output where the one that stands alone was to appear
   */
  record Request(Path model, Path output) {}

  static MaterializeReport of(
      Request request, Materialize.Result done, List<FileEntry> outputs, double seconds) {
    return new MaterializeReport(
        Json.SCHEMA,
        "materialize",
        MergeRun.tool(),
        request.model().toString(),
        request.output().toString(),
        done.traffic().read(),
        done.traffic().written(),
        seconds,
        outputs,
        done.carried().files(),
        done.carried().notes(),
        done.leftOver().stream().map(Path::toString).toList());
  }

  Table table() {
    Table table = Table.of(Table.left(""), Table.left(""));
    table.row(
        "moved", Figures.bytes(readBytes) + " read, " + Figures.bytes(writtenBytes) + " written");
    table.row("time", Figures.seconds(seconds));
    carried.forEach(file -> table.row("carried", file));
    notes.forEach(note -> table.row("note", note));
    leftOver.forEach(file -> table.row("left over", file));
    for (FileEntry file : outputs) {
      table.row("output", file.path() + ", " + Figures.bytes(file.bytes()));
    }
    return table;
  }
}

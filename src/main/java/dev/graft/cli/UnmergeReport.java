package dev.graft.cli;

import dev.graft.fold.Provenance.AdapterRecord;
import dev.graft.fold.Unmerge;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What {@code unmerge} did.
 *
 * @param schema version of the report
 * @param verb the verb
 * @param tool name and version of the program
 * @param model the merged model as it was given
 * @param adapter what was taken out
 * @param tensors how many tensors got their old bytes back, every one with the SHA-256 that it had
 * @param baseSkeletonSha256 of the base's model file without its weights, as found
 * @param earlier the undo record of the merge below, if there is one
 * @param readBytes really read
 * @param writtenBytes really written
 * @param seconds from the start to the commit
 * @param outputs every file that was written
 * @param carried config and tokenizer files that went along
 */
record UnmergeReport(
    int schema,
    String verb,
    String tool,
    String model,
    AdapterRecord adapter,
    int tensors,
    String baseSkeletonSha256,
    Optional<String> earlier,
    long readBytes,
    long writtenBytes,
    double seconds,
    List<FileEntry> outputs,
    List<String> carried) {

  /**
   * What was asked for.
   *
   * @param model the merged model
   * @param output where the base was to appear
   */
  record Request(Path model, Path output) {}

  static UnmergeReport of(
      Request request, Unmerge.Result done, List<FileEntry> outputs, double seconds) {
    return new UnmergeReport(
        Json.SCHEMA,
        "unmerge",
        MergeRun.tool(),
        request.model().toString(),
        done.taken().adapter(),
        done.taken().tensors().size(),
        done.taken().base().skeletonSha256(),
        done.earlier().map(f -> request.output().resolveSibling(f.getFileName()).toString()),
        done.traffic().read(),
        done.traffic().written(),
        seconds,
        outputs,
        done.carried().files());
  }

  Table table() {
    Table table = Table.of(Table.left(""), Table.left(""));
    table.row("taken out", adapter.name() + ", SHA-256 " + adapter.sha256());
    table.row("restored", Figures.count(tensors) + " tensors, each with the SHA-256 it had");
    table.row(
        "moved", Figures.bytes(readBytes) + " read, " + Figures.bytes(writtenBytes) + " written");
    table.row("time", Figures.seconds(seconds));
    carried.forEach(file -> table.row("carried", file));
    for (FileEntry file : outputs) {
      table.row("output", file.path() + ", " + Figures.bytes(file.bytes()));
    }
    earlier.ifPresent(file -> table.row("output", file + ", for the merge below"));
    return table;
  }
}

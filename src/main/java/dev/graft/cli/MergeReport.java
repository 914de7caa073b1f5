package dev.graft.cli;

import dev.graft.cli.BindingReport.PrefixEntry;
import dev.graft.fold.GraphChange;
import dev.graft.fold.Merge;
import dev.graft.fold.UndoSize;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What {@code merge} did, or would do.
 *
 * @param schema version of the report
 * @param verb the verb
 * @param tool name and version of the program
 * @param dryRun whether nothing was to be written
 * @param request what was asked for
 * @param prefix how the adapter's names become the model's
 * @param sites where every target went
 * @param figures bytes and time
 * @param files inputs and outputs
 * @param graphChanges what changes in the graph beside values of tensors
 * @param carried config and tokenizer files that went along
 * @param notes what the user has to see to beside the model
 * @param leftOver files of an older output that could not be deleted
 * @param warnings what to know about the adapter and the places where it went
 */
record MergeReport(
    int schema,
    String verb,
    String tool,
    boolean dryRun,
    Request request,
    PrefixEntry prefix,
    List<BoundEntry> sites,
    Numbers figures,
    Files files,
    List<GraphChange> graphChanges,
    List<String> carried,
    List<String> notes,
    List<String> leftOver,
    List<String> warnings) {

  /**
   * What was asked for.
   *
   * @param model the base as it was given
   * @param adapter the adapter as it was given; the name of one that the model held as branches
   * @param weight the user's factor
   * @param output the output as it was given
   */
  record Request(String model, String adapter, double weight, String output) {}

  /**
   * Bytes and time.
   *
   * @param touchedBytes of the tensors that change
   * @param splitBytes that copies of shared weights add
   * @param totalBytes of all model and data files of the output (in a dry run: of the base)
   * @param readBytes really read from the base and the adapter's tensors, holes not counted; absent
   *     in a dry run
   * @param writtenBytes really written, holes not counted; absent in a dry run
   * @param undo what the undo record takes, if one was written
   * @param seconds from the start to the commit
   * @param megabytesPerSecond the total over the time; absent in a dry run
   */
  record Numbers(
      long touchedBytes,
      long splitBytes,
      long totalBytes,
      Optional<Long> readBytes,
      Optional<Long> writtenBytes,
      Optional<Undo> undo,
      double seconds,
      Optional<Double> megabytesPerSecond) {}

  /**
   * What an undo record takes, in bytes.
   *
   * @param bytes the whole record
   * @param addedTo length of the tensors that something was added to
   * @param corrections what is kept of those
   * @param replaced length of the tensors whose values were replaced
   * @param replacedKept what is kept of those
   * @param adapter the adapter's tensors
   */
  record Undo(
      long bytes, long addedTo, long corrections, long replaced, long replacedKept, long adapter) {

    static Undo of(UndoSize size) {
      return new Undo(
          size.bytes(),
          size.addedTo(),
          size.corrections(),
          size.replaced(),
          size.replacedKept(),
          size.adapter());
    }
  }

  /**
   * The files.
   *
   * @param inputs every file that was read and is still as it was
   * @param outputs every model and data file that was written
   */
  record Files(List<FileEntry> inputs, List<FileEntry> outputs) {}

  static MergeReport of(MergeRun run, String verb, Files files) {
    Optional<Merge.Result> result = run.result();
    return new MergeReport(
        Json.SCHEMA,
        verb,
        MergeRun.tool(),
        result.isEmpty(),
        new Request(
            run.plan().request().model().toString(),
            run.plan().foldsOwnBranches()
                ? run.plan().adapter().name()
                : run.plan().request().adapter().toString(),
            run.plan().request().weight(),
            run.plan().request().output().toString()),
        PrefixEntry.of(run.plan().binding().prefix()),
        run.sites(),
        numbers(run),
        files,
        run.plan().graphChanges(),
        result.map(r -> r.carried().files()).orElse(List.of()),
        result.map(r -> r.carried().notes()).orElse(List.of()),
        result.map(Merge.Result::leftOver).orElse(List.of()).stream().map(Path::toString).toList(),
        run.warnings());
  }

  private static Numbers numbers(MergeRun run) {
    double seconds = run.nanos() / 1e9;
    return new Numbers(
        run.plan().touchedBytes(),
        run.plan().splitBytes(),
        run.result().map(Merge.Result::bytes).orElseGet(() -> run.plan().baseBytes()),
        run.result().map(written -> written.traffic().read()),
        run.result().map(written -> written.traffic().written()),
        run.result().flatMap(Merge.Result::undo).map(Undo::of),
        seconds,
        run.result().map(written -> written.bytes() / 1e6 / seconds));
  }
}

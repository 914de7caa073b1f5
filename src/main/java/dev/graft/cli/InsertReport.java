package dev.graft.cli;

import dev.graft.cli.BindingReport.PrefixEntry;
import dev.graft.fold.Rewrite;
import dev.graft.inject.Injection;
import dev.graft.inject.Trainable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What {@code insert} did.
 *
 * @param schema version of the report
 * @param verb the verb
 * @param tool name and version of the program
 * @param request what was asked for
 * @param prefix how the adapter's names become the model's
 * @param sites where every target went
 * @param tensors the adapter's tensors in the graph
 * @param parameters how much of the model is the adapter's
 * @param seconds from the start to the commit
 * @param outputs every model and data file that was written
 * @param carried config and tokenizer files that went along
 * @param notes what the user has to see to beside the model
 * @param leftOver files of an older output that could not be deleted
 * @param warnings what to know about the adapter and the places where it went
 */
record InsertReport(
    int schema,
    String verb,
    String tool,
    Request request,
    PrefixEntry prefix,
    List<BoundEntry> sites,
    List<NewEntry> tensors,
    Parameters parameters,
    double seconds,
    List<FileEntry> outputs,
    List<String> carried,
    List<String> notes,
    List<String> leftOver,
    List<String> warnings) {

  /**
   * What was asked for.
   *
   * @param model the base as it was given
   * @param adapter the adapter as it was given
   * @param output the output as it was given
   * @param adapterName the adapter's name in the model
   */
  record Request(String model, String adapter, String output, String adapterName) {}

  /**
   * One of the adapter's tensors in the graph.
   *
   * @param name the initializer's name
   * @param key PEFT's name
   * @param shape its dimensions in the graph
   */
  record NewEntry(String name, String key, List<Long> shape) {
    static NewEntry of(Trainable tensor) {
      return new NewEntry(
          tensor.name(), tensor.key(), Arrays.stream(tensor.shape().toArray()).boxed().toList());
    }
  }

  /**
   * How much of the model is the adapter's, as PEFT counts.
   *
   * @param trainable values of the adapter
   * @param all values of base and adapter together
   */
  record Parameters(long trainable, long all) {

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "trainable params: %,d || all params: %,d || trainable%%: %.4f",
          trainable,
          all,
          100.0 * trainable / all);
    }
  }

  /** What was done. */
  record Done(Injection injection, Rewrite.Written written, long baseParameters) {}

  static InsertReport of(Request request, Done done, double seconds) {
    Injection injection = done.injection();
    Rewrite.Written written = done.written();
    long trainable = injection.adapter().parameterCount();
    List<String> warnings = new ArrayList<>(injection.adapter().warnings());
    warnings.addAll(injection.binding().warnings());
    Path output = Path.of(request.output());
    return new InsertReport(
        Json.SCHEMA,
        "insert",
        MergeRun.tool(),
        request,
        PrefixEntry.of(injection.binding().prefix()),
        injection.binding().bound().stream().map(bound -> BoundEntry.of(bound, 1)).toList(),
        injection.trainables().stream().map(NewEntry::of).toList(),
        new Parameters(trainable, done.baseParameters() + trainable),
        seconds,
        written.files().stream()
            .map(file -> FileEntry.of(output.resolveSibling(file.getFileName())))
            .toList(),
        written.carried().files(),
        written.carried().notes(),
        written.leftOver().stream().map(Path::toString).toList(),
        warnings);
  }
}

package dev.graft.cli;

import dev.graft.adapter.AdapterSpec;
import dev.graft.error.UsageException;
import dev.graft.fold.MergeRequest;
import dev.graft.fold.MergeRequest.Repeat;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What {@code verify} needs to repeat a merge. */
final class WeightOptions {

  @Option(
      names = "--weights",
      description =
          "Compare the file tensor by tensor, without a runtime, with what the merge of --base and -a makes.")
  private boolean weights;

  @Option(
      names = "--base",
      paramLabel = "MODEL",
      description = "With --weights: the merged model's base.")
  private Optional<Path> base = Optional.empty();

  @Option(
      names = {"-a", "--adapter", "--adapter-path"},
      paramLabel = "DIR[:WEIGHT]",
      description = "With --weights: the adapter that was folded in.")
  private Optional<String> adapter = Optional.empty();

  @Mixin private NameOptions names = new NameOptions();

  /**
   * Whether weights are to be compared; refuses options that are then needed, or else of no use.
   */
  boolean isAsked() {
    if (weights && (base.isEmpty() || adapter.isEmpty())) {
      throw new UsageException(
          "--weights needs the base and the adapter that the model was merged from: --base MODEL and"
              + " -a DIR[:WEIGHT]");
    }
    if (!weights && (base.isPresent() || adapter.isPresent() || names.isSet())) {
      throw new UsageException(
          "--base, -a, --prefix, --map and --tied are for --weights, which is not given");
    }
    return weights;
  }

  /** The merge that is to be repeated. */
  MergeRequest request(Path merged) {
    AdapterSpec spec = AdapterSpec.parse(adapter.orElseThrow());
    // Nothing is written; a plan only asks that its output is none of its inputs.
    Path output = merged.resolveSibling(merged.getFileName() + ".repeated");
    return new MergeRequest(
        base.orElseThrow(), spec.path(), spec.weight(), output, names.toOptions(), Repeat.ALLOWED);
  }

  List<Path> files() {
    return Stream.concat(base.stream(), names.mapFile().stream()).toList();
  }
}

package dev.graft.cli;

import dev.graft.error.UsageException;
import dev.graft.fold.FoldCheck;
import dev.graft.fold.MergePlan;
import dev.graft.fold.MergeRequest;
import dev.graft.fold.ThinModels;
import dev.graft.runtime.SessionSettings;
import dev.graft.verify.Inputs;
import dev.graft.verify.Parity;
import dev.graft.verify.Reference;
import dev.graft.verify.Tolerance;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs a model and holds its outputs against another's, or against stored ones. */
@Command(
    name = "verify",
    customSynopsis = {
      "graft verify -m CANDIDATE (--reference MODEL | --reference-outputs FILE[:TENSOR])",
      "                    [--inputs FILE] [--atol X] [--rtol X] [--seed N] [--report FILE] [--json]",
      "       graft verify -m MERGED --weights --base MODEL -a DIR[:WEIGHT] [--prefix FROM=TO]",
      "                    [--map FILE] [--tied active|peft-merge] [--report FILE] [--json]"
    },
    description =
        "Runs a model through ONNX Runtime and holds its outputs against those of another model, or against"
            + " stored ones: an element may be atol + rtol x |reference| away. With --weights, compares a merged model"
            + " tensor by tensor with what the merge makes, without a runtime. The exit code is 1 if the check"
            + " does not hold.",
    footer = {
      "  graft verify -m merged.onnx --reference exported-after-merge.onnx",
      "  graft verify -m merged.onnx --inputs golden.safetensors \\",
      "    --reference-outputs golden.safetensors:merged",
      "  graft verify -m merged.onnx --weights --base model.onnx -a adapter/"
    })
final class VerifyCommand extends Verb {

  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "CANDIDATE",
      description = "The model to check.")
  private Path model = Path.of("");

  @Option(
      names = "--reference",
      paramLabel = "MODEL",
      description = "A model that gives the right answers.")
  private Optional<Path> reference = Optional.empty();

  @Option(
      names = "--reference-outputs",
      paramLabel = "FILE[:TENSOR]",
      description =
          "A safetensors file with the right answers, by the names of the outputs; or one tensor of it, for"
              + " the output of that name or else the first.")
  private Optional<String> referenceOutputs = Optional.empty();

  @Option(
      names = "--inputs",
      paramLabel = "FILE",
      description =
          "A safetensors file with the inputs by name; other tensors in it are ignored. Made up if not given.")
  private Optional<Path> inputs = Optional.empty();

  @Option(
      names = "--atol",
      paramLabel = "X",
      description = "Absolute tolerance (default 1e-4; 1e-2 for half precision).")
  private Optional<Double> atol = Optional.empty();

  @Option(names = "--rtol", paramLabel = "X", description = "Relative tolerance (default 1e-3).")
  private Optional<Double> rtol = Optional.empty();

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of inputs that are made up (default 0).")
  private Optional<Long> seed = Optional.empty();

  @Mixin private WeightOptions weights = new WeightOptions();

  @Option(names = "--report", paramLabel = "FILE", description = "Write the JSON report there.")
  private Optional<Path> report = Optional.empty();

  VerifyCommand(Screen screen) {
    super(screen);
  }

  @Override
  int execute() {
    return weights.isAsked() ? verifyWeights() : verifyOutputs();
  }

  private int verifyWeights() {
    boolean more =
        Stream.of(reference, referenceOutputs, inputs, atol, rtol, seed)
            .anyMatch(Optional::isPresent);
    if (more) {
      throw new UsageException(
          "--weights compares bytes: it has no reference, inputs, tolerances or seed");
    }
    MergeRequest request = weights.request(model);
    MergePlan plan = MergePlan.of(request);
    List<Path> taken = new ArrayList<>(plan.inputs());
    taken.addAll(files());
    try (ReportFile file = ReportFile.begin(report, taken);
        ProgressBar bar = progress("comparing", plan.baseBytes())) {
      FoldCheck.Report found = new FoldCheck(plan, model, bar).run();
      WeightsReport weightsReport =
          new WeightsReport(
              Json.SCHEMA,
              name(),
              model.toString(),
              request.model().toString(),
              request.adapter().toString(),
              request.weight(),
              found.holds(),
              found);
      file.write(weightsReport);
      print(weightsReport, () -> weightsReport.table().print(screen().out(), ""));
      return found.holds() ? Failure.OK : Failure.DOES_NOT_HOLD;
    }
  }

  private int verifyOutputs() {
    Reference against = against();
    Inputs fed = fed();
    Parity parity = new Parity(SessionSettings.defaults(), tolerance());
    try (ReportFile file = ReportFile.begin(report, files())) {
      // ONNX Runtime would run a thin model on whatever lies under it.
      ThinModels.requireIntact(model);
      reference.ifPresent(ThinModels::requireIntact);
      VerifyReport found = VerifyReport.of(parity.compare(model, against, fed), name());
      file.write(found);
      print(found, () -> VerifyText.print(screen().out(), found));
      return found.holds() ? Failure.OK : Failure.DOES_NOT_HOLD;
    }
  }

  private Reference against() {
    if (reference.isPresent() == referenceOutputs.isPresent()) {
      throw new UsageException(
          "give what the outputs should be: either --reference MODEL or --reference-outputs FILE[:TENSOR]");
    }
    if (referenceOutputs.isPresent() && inputs.isEmpty()) {
      throw new UsageException(
          "--reference-outputs needs --inputs: stored outputs belong to the inputs that they were made from");
    }
    return reference
        .<Reference>map(Reference.Model::new)
        .orElseGet(() -> Reference.parseStored(referenceOutputs.orElseThrow()));
  }

  private Inputs fed() {
    if (inputs.isPresent() && seed.isPresent()) {
      throw new UsageException("--seed is for inputs that are made up, but --inputs gives them");
    }
    Inputs.Generated plain = Inputs.Generated.defaults();
    return inputs
        .<Inputs>map(Inputs.Stored::new)
        .orElseGet(() ->
            new Inputs.Generated(seed.orElse(plain.seed()), plain.vocabulary(), plain.dims()));
  }

  private Tolerance tolerance() {
    return Tolerance.of(checked("--atol", atol), checked("--rtol", rtol));
  }

  private static OptionalDouble checked(String option, Optional<Double> given) {
    if (given.filter(value -> !(value >= 0 && Double.isFinite(value))).isPresent()) {
      throw new UsageException(option + " is " + given.get() + ", expected 0 or more");
    }
    return given.map(OptionalDouble::of).orElseGet(OptionalDouble::empty);
  }

  private List<Path> files() {
    List<Path> files = new ArrayList<>(List.of(model));
    Stream.of(reference, inputs).flatMap(Optional::stream).forEach(files::add);
    referenceOutputs.map(text -> Reference.parseStored(text).file()).ifPresent(files::add);
    files.addAll(weights.files());
    return files;
  }
}

package dev.graft.cli;

import dev.graft.adapter.AdapterSpec;
import dev.graft.adapter.PeftAdapter;
import dev.graft.error.UsageException;
import dev.graft.inject.AdapterName;
import dev.graft.inject.SlotConversion;
import dev.graft.onnx.OnnxModel;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes an adapter as the file that ONNX Runtime loads beside a model with slots. */
@Command(
    name = "convert",
    customSynopsis = {
      "graft convert -m MODEL -a DIR -o OUT.onnx_adapter [--adapter-name NAME] [--prefix FROM=TO]",
      "                     [--map FILE] [--json] [--quiet]"
    },
    description =
        "Writes a LoRA adapter as an .onnx_adapter file for the slots of a model: those of graft insert --as inputs,"
            + " of Olive, or of the GenAI builder. ONNX Runtime feeds it where a run has it among its active"
            + " adapters. The scale goes into B; where the model fixes the rank, lower ones are filled up with"
            + " zeros. What has no slot or does not fit is refused.",
    footer = {
      "  graft insert -m model.onnx -a adapter/ --as inputs -o slots.onnx",
      "  graft convert -m slots.onnx -a adapter/ -o adapter.onnx_adapter",
      "  graft inspect -a adapter.onnx_adapter"
    })
final class ConvertCommand extends Verb {

  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "MODEL",
      description = "The model with slots, an .onnx file.")
  private Path model = Path.of("");

  @Option(
      names = {"-a", "--adapter", "--adapter-path"},
      required = true,
      paramLabel = "DIR",
      description =
          "The adapter as PEFT saves it: the folder, a checkpoint-N or the safetensors file.")
  private String adapter = "";

  @Option(
      names = {"-o", "--output", "--output-path"},
      required = true,
      paramLabel = "OUT",
      description = "The .onnx_adapter file to write.")
  private Path output = Path.of("");

  @Option(
      names = "--adapter-name",
      paramLabel = "NAME",
      description = "Whose slots are meant where the model has those of several adapters.")
  private Optional<String> adapterName = Optional.empty();

  @Mixin private NameOptions names = new NameOptions();

  ConvertCommand(Screen screen) {
    super(screen);
  }

  @Override
  int execute() {
    long started = System.nanoTime();
    Optional<AdapterName> name = adapterName.map(AdapterName::new);
    AdapterSpec spec = AdapterSpec.parse(adapter);
    if (spec.weight() != 1) {
      throw new UsageException(
          adapter
              + ": an .onnx_adapter has the adapter's own strength; a weight goes with merge only");
    }
    OnnxModel base = OnnxModel.open(model);
    PeftAdapter opened = PeftAdapter.open(spec.path());
    SlotConversion conversion = SlotConversion.of(base, opened, names.toOptions(), name);
    warn(opened.warnings());
    conversion.write(output);
    ConvertReport report =
        ConvertReport.of(
            new ConvertReport.Request(model.toString(), adapter, output.toString()),
            conversion,
            (System.nanoTime() - started) / 1e9);
    print(report, () -> ConvertReport.print(screen().out(), report));
    return Failure.OK;
  }
}

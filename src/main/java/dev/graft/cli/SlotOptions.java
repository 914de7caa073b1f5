package dev.graft.cli;

import dev.graft.error.UsageException;
import dev.graft.inject.AdapterName;
import dev.graft.inject.SlotSettings;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** Whether the adapter's tensors are in the model or come in at run time. */
final class SlotOptions {

  private static final String INPUTS = "inputs";

  @Option(
      names = "--as",
      paramLabel = "initializers|inputs",
      description =
          "Whether A and B are in the model (the default), or are inputs that an .onnx_adapter file brings at run"
              + " time (see convert). Such a slot has a default under which it changes nothing.")
  private String as = "initializers";

  @Option(
      names = "--max-r",
      paramLabel = "R",
      description =
          "With --as inputs: fixes the rank of all slots; adapters of a lower one are filled up. Without it every"
              + " adapter brings its own rank to every module.")
  private Optional<Integer> maxR = Optional.empty();

  /** How slots are to be made; empty if the tensors go into the model. */
  Optional<SlotSettings> settings(AdapterName name) {
    if (!as.equals(INPUTS) && !as.equals("initializers")) {
      throw new UsageException("--as is '" + as + "', expected initializers or inputs");
    }
    if (!as.equals(INPUTS) && maxR.isPresent()) {
      throw new UsageException("--max-r shapes slots, which --as inputs makes");
    }
    OptionalInt rank = maxR.map(OptionalInt::of).orElseGet(OptionalInt::empty);
    return as.equals(INPUTS) ? Optional.of(new SlotSettings(name, rank)) : Optional.empty();
  }
}

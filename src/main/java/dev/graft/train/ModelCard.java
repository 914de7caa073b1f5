package dev.graft.train;

import dev.graft.adapter.PeftAdapter;
import java.util.Locale;

/** The text beside an adapter that says where it is from. */
final class ModelCard {

  private ModelCard() {}

  static String of(TrainingOptions options, PeftAdapter start, RunState state) {
    String base =
        start.config().baseModelNameOrPath().map(name -> "base_model: " + name + "\n").orElse("");
    return """
    ---
    %slibrary_name: peft
    tags:
    - lora
    ---

    # LoRA adapter, trained on an ONNX graph

    Trained by %s on `%s`, task %s: %d optimizer steps of %d x %d rows, mean loss %s.
    """
        .formatted(
            base,
            options.output().tool(),
            options.sources().model().getFileName(),
            options.loss().task().option(),
            state.step(),
            options.batches().accumulation(),
            options.batches().size(),
            String.format(Locale.ROOT, "%.4f", state.meanLoss()));
  }
}

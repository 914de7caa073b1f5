package dev.graft.inject;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the name of a slot says. Beside Graft's own names these are known: Olive's {@code
 * M.lora_A.weight} and {@code M.lora_A.default.weight}, the GenAI builder's {@code
 * M.lora_A.MatMul.weight}, and the same with PEFT's {@code base_model.model.} in front.
 *
 * @param module the module's name
 * @param part which of its tensors goes there
 * @param adapter the adapter's name; the same for all schemes that have none
 */
record SlotName(String module, Part part, AdapterName adapter) {

  private static final Pattern FORM =
      Pattern.compile(
          "(?:base_model\\.model\\.)?(?:(?<module>.+)\\.)?lora_(?<part>A|B|embedding_A|embedding_B|magnitude_factor)"
              + "(?:\\.(?<adapter>[A-Za-z0-9_][A-Za-z0-9_-]*?))??(?:\\.(?<end>weight|bias))?");

  /** Which tensor of a pair. */
  enum Part {
    A,
    B,
    BIAS_OF_B,
    /** DoRA's m / ‖W + s·B·A‖. */
    FACTOR
  }

  /** Reads a name; empty if it is none of a slot for a pair. */
  static Optional<SlotName> parse(String name) {
    Matcher found = FORM.matcher(name);
    if (!found.matches()) {
      return Optional.empty();
    }
    boolean isBias = "bias".equals(found.group("end"));
    Part part =
        switch (found.group("part")) {
          case "A", "embedding_A" -> Part.A;
          case "B", "embedding_B" -> isBias ? Part.BIAS_OF_B : Part.B;
          default -> Part.FACTOR;
        };
    String adapter = Optional.ofNullable(found.group("adapter")).orElse("default");
    return Optional.of(
        new SlotName(
            Optional.ofNullable(found.group("module")).orElse(""),
            part,
            adapter.equals("MatMul") ? AdapterName.DEFAULT : new AdapterName(adapter)));
  }

  /** The module under the name that it has whichever exporter wrote it. */
  static String plain(String module) {
    return module.replace(".self_attn.", ".attn.");
  }
}

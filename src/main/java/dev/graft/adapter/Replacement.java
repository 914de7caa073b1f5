package dev.graft.adapter;

import dev.graft.safetensors.SafetensorsTensor;
import java.util.List;

/**
 * A parameter that takes the place of the base model's.
 *
 * @param parameter its full name, such as {@code classifier.weight}
 * @param value the new values, in torch's layout
 * @param origin why the adapter holds it
 */
public record Replacement(String parameter, SafetensorsTensor value, Origin origin)
    implements AdapterTarget {

  /** Why an adapter holds a whole parameter. */
  public enum Origin {
    /** The module is named in {@code modules_to_save}, or is the head that its task trains. */
    MODULES_TO_SAVE,
    /** A bias that was trained because {@code bias} is {@code all} or {@code lora_only}. */
    BIAS,
    /** An input or output embedding saved whole without LoRA on it: the vocabulary was resized. */
    SAVED_EMBEDDING
  }

  @Override
  public String target() {
    return parameter;
  }

  @Override
  public List<SafetensorsTensor> tensors() {
    return List.of(value);
  }
}

package dev.graft.adapter;

import dev.graft.safetensors.SafetensorsTensor;
import java.util.List;

/**
 * A copy of the base model's own values that PEFT saved along; it changes nothing and is not
 * folded.
 *
 * @param parameter its full name in the base model
 * @param value the copied values
 */
public record BaseCopy(String parameter, SafetensorsTensor value) implements AdapterTarget {

  @Override
  public String target() {
    return parameter;
  }

  @Override
  public List<SafetensorsTensor> tensors() {
    return List.of(value);
  }
}

package dev.graft.adapter;

import dev.graft.adapter.AdapterKey.Role;
import dev.graft.safetensors.SafetensorsTensor;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/** The tensors that one LoRA layer saved, as they are found one by one. */
final class LoraSlot {

  private final AdapterKey key;
  private final Map<Role, SafetensorsTensor> tensors = new EnumMap<>(Role.class);

  LoraSlot(AdapterKey key) {
    this.key = key;
  }

  /** The key of the first tensor found; module and scope are those of all. */
  AdapterKey key() {
    return key;
  }

  /** Puts a tensor in its place and returns what stood there before. */
  Optional<SafetensorsTensor> put(Role role, SafetensorsTensor tensor) {
    return Optional.ofNullable(tensors.put(role, tensor));
  }

  Optional<SafetensorsTensor> get(Role role) {
    return Optional.ofNullable(tensors.get(role));
  }

  boolean has(Role role) {
    return tensors.containsKey(role);
  }

  /** Any of the tensors, to name the layer by. */
  String anyName() {
    return tensors.values().iterator().next().name();
  }
}

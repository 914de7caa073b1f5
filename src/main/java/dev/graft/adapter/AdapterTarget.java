package dev.graft.adapter;

import dev.graft.safetensors.SafetensorsTensor;
import java.util.List;

/** What one or a few tensors of an adapter do to the base model. */
public sealed interface AdapterTarget permits LoraPair, Replacement, TokenRows, BaseCopy {

  /**
   * The module or parameter of the base model, without PEFT's and wrappers' additions to its name.
   */
  String target();

  /** The tensors of the adapter that make it up. */
  List<SafetensorsTensor> tensors();
}

package dev.graft.inject;

import dev.graft.adapter.LoraPair;

/**
 * What the tensors of a pair are called in the file, as PEFT has them.
 *
 * @param module the module's name in the file, perhaps empty
 * @param infix the adapter's name with a dot before it, perhaps empty
 * @param isTable whether the pair is an embedding's
 */
record PairNames(String module, String infix, boolean isTable) {

  static PairNames of(LoraPair pair, String module, String infix) {
    return new PairNames(module, infix, pair.kind() == LoraPair.Kind.EMBEDDING);
  }

  String a() {
    return factor("A");
  }

  String b() {
    return factor("B");
  }

  String biasOfB() {
    return own("lora_B") + ".bias";
  }

  private String factor(String letter) {
    return own((isTable ? "lora_embedding_" : "lora_") + letter) + (isTable ? "" : ".weight");
  }

  /** A name of the module's own, such as {@code layer.0.query.lora_scaling.default}. */
  String own(String what) {
    return (module.isEmpty() ? "" : module + ".") + what + infix;
  }
}

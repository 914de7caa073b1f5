package dev.graft.match;

/** How a site came by its name. The order is that of trust. */
public enum NameRule {
  /** The user's own map file. */
  MAP_FILE("map file"),
  /** The weight is called like the module's parameter: {@code layers.0.q_proj.weight}. */
  INITIALIZER("initializer name"),
  /** Dynamo's note of the parameter that a folded constant came from. */
  FOLDED_FROM("folded_from"),
  /** Dynamo's module scopes on the node. */
  NAME_SCOPE("name scope"),
  /** TorchScript's node name: {@code /layers.0/q_proj/MatMul}. */
  NODE_PATH("node path"),
  /** ONNX Runtime GenAI's renaming: {@code attn} for {@code self_attn}. */
  GENAI("GenAI name"),
  /** The output of a fused attention, or the layer behind it: {@code /attention/self/Reshape_3}. */
  ATTENTION("fused attention"),
  /** A part of a weight that holds several modules: {@code q_proj} in {@code qkv_proj}. */
  PACKED("part of a packed weight"),
  /** Parts that the file holds one by one: {@code gate_proj} and {@code up_proj}. */
  SPLIT("parts of a split module"),
  /** A further call of one module, numbered by TorchScript: {@code query_1}. */
  REPEATED_CALL("repeated call"),
  /** The other half of a tie, by its equal values. */
  TIED("tied weight"),
  /** The bias that is added right behind the module's product. */
  BIAS_OF_SITE("bias of the module"),
  /** The scale or shift of the norm that the module is. */
  NORM_OF_MODULE("norm of the module");

  private final String label;

  NameRule(String label) {
    this.label = label;
  }

  /** How reports call the rule. */
  public String label() {
    return label;
  }
}

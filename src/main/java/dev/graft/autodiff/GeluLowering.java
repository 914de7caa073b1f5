package dev.graft.autodiff;

/** ONNX's Gelu is the runtime's Gelu, or its FastGelu where it is approximated by tanh. */
final class GeluLowering implements Lowering {

  @Override
  public void apply(OpNode node, Emitter emit) {
    boolean isTanh = node.textAttribute("approximate", "none").equals("tanh");
    String operator = isTanh ? "com.microsoft.FastGelu" : "com.microsoft.Gelu";
    emit.alias(emit.op(operator, node.input(0)), node.proto().getOutput(0));
  }
}

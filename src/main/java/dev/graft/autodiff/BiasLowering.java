package dev.graft.autodiff;

/** BiasGelu and FastGelu with a bias: the function of X + bias. */
final class BiasLowering implements Lowering {

  private final String operator;

  BiasLowering(String operator) {
    this.operator = operator;
  }

  @Override
  public void apply(OpNode node, Emitter emit) {
    String x = node.hasInput(1) ? emit.add(node.input(0), node.input(1)) : node.input(0);
    emit.alias(emit.op(operator, x), node.proto().getOutput(0));
  }
}

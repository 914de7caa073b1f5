package dev.graft.autodiff;

import java.util.List;

/**
 * Y = softmax(X) over an axis; before operator set 13 over all axes from one on, as if they were
 * one.
 *
 * <p>dX = (dY − Σ dY·Y) · Y.
 */
final class SoftmaxRule implements Rule {

  private static final int ONE_AXIS = 13;

  @Override
  public void apply(Differential d) {
    Emitter emit = d.emit();
    String sum = emit.sumKept(emit.mul(d.dy(), d.y()), axes(d));
    d.give(0, emit.mul(emit.sub(d.dy(), sum), d.y()));
  }

  /** The axes that a Softmax or LogSoftmax normalises together. */
  static List<Integer> axes(Differential d) {
    int rank = d.rank(0);
    if (d.emit().draft().opset() >= ONE_AXIS) {
      return List.of(d.node().axis(-1, rank));
    }
    return Differential.axesFrom(d.node().axis(1, rank), rank);
  }
}

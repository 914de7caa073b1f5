package dev.graft.autodiff;

import java.util.List;

/**
 * Y = X · r · scale with r = 1/√(mean(X²) + ε), over the axes from one on.
 *
 * <p>With G = dY · scale: dX = G · r − X · (mean(G·X) · r³); dScale = dY · X · r, summed over the
 * other axes. SimplifiedLayerNormalization gives r as a further output.
 */
final class RmsNormRule implements Rule {

  @Override
  public void apply(Differential d) {
    Emitter emit = d.emit();
    String r = d.outputs(2).get(1);
    List<Integer> axes = Differential.axesFrom(d.node().axis(-1, d.rank(0)), d.rank(0));
    if (d.wants(0)) {
      String g = emit.mul(d.dy(), d.x(1));
      String mean = emit.meanKept(emit.mul(g, d.x(0)), axes);
      String factor = emit.mul(mean, emit.mul(r, emit.mul(r, r)));
      d.give(0, emit.sub(emit.mul(g, r), emit.mul(d.x(0), factor)));
    }
    if (d.wants(1)) {
      d.giveReduced(1, emit.mul(d.dy(), emit.mul(d.x(0), r)));
    }
  }
}

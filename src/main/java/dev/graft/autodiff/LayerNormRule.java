package dev.graft.autodiff;

import java.util.List;

/**
 * Y = X̂ · scale + bias with X̂ = (X − mean) · r, r = 1/√(variance + ε), over the axes from one on.
 *
 * <p>With G = dY · scale: dX = (G − (X̂ · mean(G·X̂) + mean(G))) · r; dScale = dY · X̂ and dBias =
 * dY, summed over the other axes. Mean and r are further outputs of the forward node. Plain
 * operators are several times as fast here as the runtime's own gradient kernel, which always
 * computes dScale and dBias too.
 */
final class LayerNormRule implements Rule {

  @Override
  public void apply(Differential d) {
    Emitter emit = d.emit();
    List<String> statistics = d.outputs(3);
    String mean = statistics.get(1);
    String r = statistics.get(2);
    List<Integer> axes = Differential.axesFrom(d.node().axis(-1, d.rank(0)), d.rank(0));
    String normal = emit.mul(emit.sub(d.x(0), mean), r);
    if (d.wants(0)) {
      String g = emit.mul(d.dy(), d.x(1));
      String along = emit.mul(normal, emit.meanKept(emit.mul(g, normal), axes));
      String away = emit.add(along, emit.meanKept(g, axes));
      d.give(0, emit.mul(emit.sub(g, away), r));
    }
    if (d.wants(1)) {
      d.giveReduced(1, emit.mul(d.dy(), normal));
    }
    if (d.wants(2)) {
      d.giveReduced(2, d.dy());
    }
  }
}

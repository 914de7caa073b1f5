package dev.graft.autodiff;

/** Y = min(max(X, low), high); dX = dY where low ≤ X ≤ high, 0 elsewhere, as in PyTorch. */
final class ClipRule implements Rule {

  @Override
  public void apply(Differential d) {
    if (d.wants(1) || d.wants(2)) {
      throw d.refused("its bounds depend on trainable tensors");
    }
    // Y = X exactly where X lies within the bounds.
    String isInside = d.emit().cast(d.emit().op("Equal", d.x(0), d.y()), d.type());
    d.give(0, d.emit().mul(d.dy(), isInside));
  }
}

package dev.graft.autodiff;

/** Y = A where C holds, B elsewhere; dA = dY where C holds, 0 elsewhere; dB the other way round. */
final class WhereRule implements Rule {

  @Override
  public void apply(Differential d) {
    if (d.wants(1)) {
      d.giveReduced(1, d.emit().op("Where", d.x(0), d.dy(), d.scalar(0)));
    }
    if (d.wants(2)) {
      d.giveReduced(2, d.emit().op("Where", d.x(0), d.scalar(0), d.dy()));
    }
  }
}

package dev.graft.autodiff;

import java.util.Optional;

/**
 * Y = X · mask / (1 − ratio) in training; dX = dY · mask / (1 − ratio). A node that is not in
 * training mode passes everything on: Y = X, dX = dY.
 */
final class DropoutRule implements Rule {

  @Override
  public void apply(Differential d) {
    boolean isTraining = d.node().hasInput(2);
    if (isTraining && d.node().facts(2).numbers().filter(n -> n[0] == 0).isPresent()) {
      isTraining = false;
    }
    if (!isTraining) {
      d.give(0, d.dy());
      return;
    }
    Optional<Double> ratio = d.node().hasInput(1) ? d.number(1) : Optional.of(0.5);
    if (ratio.isEmpty() || d.node().facts(2).numbers().isEmpty()) {
      throw d.refused("its ratio and training mode are known at run time only");
    }
    String mask = d.emit().cast(d.outputs(2).get(1), d.type());
    d.give(0, d.emit().mul(d.dy(), d.emit().mul(mask, d.scalar(1 / (1 - ratio.get())))));
  }
}

package dev.graft.autodiff;

import dev.graft.autodiff.Part.Picked;

/** Y = X at an index of its own for each element, along an axis; dX = dY added up there. */
final class GatherElementsRule implements Rule {

  @Override
  public void apply(Differential d) {
    d.give(0, new Picked(d.dy(), d.x(1), d.node().axis(0, d.rank(0))));
  }
}

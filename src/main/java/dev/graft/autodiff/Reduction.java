package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.util.List;

/**
 * Reductions over axes. The gradient of the output takes the reduced axes back, with length 1, and
 * is broadcast along them.
 */
enum Reduction implements Rule {
  /** Y = Σ X; dX = dY, broadcast. */
  SUM("ReduceSum") {
    @Override
    String derivative(Differential d, String dy) {
      return d.emit().op("Expand", dy, d.emit().shapeOf(d.x(0)));
    }
  },
  /** Y = Σ X / n; dX = dY / n, broadcast. */
  MEAN("ReduceMean") {
    @Override
    String derivative(Differential d, String dy) {
      String share = d.emit().mul(dy, share(d));
      return d.emit().op("Expand", share, d.emit().shapeOf(d.x(0)));
    }
  },
  /** Y = √(Σ X²); dX = X · dY / Y. */
  L2("ReduceL2") {
    @Override
    String derivative(Differential d, String dy) {
      return d.emit().mul(d.x(0), d.emit().op("Div", dy, kept(d, d.y())));
    }
  },
  /** Y = Σ X²; dX = 2 · X · dY. */
  SUM_SQUARE("ReduceSumSquare") {
    @Override
    String derivative(Differential d, String dy) {
      return d.emit().mul(d.x(0), d.emit().mul(dy, d.scalar(2)));
    }
  },
  /** Y = ln Σ exp X; dX = exp(X − Y) · dY. */
  LOG_SUM_EXP("ReduceLogSumExp") {
    @Override
    String derivative(Differential d, String dy) {
      return d.emit().mul(d.emit().op("Exp", d.emit().sub(d.x(0), kept(d, d.y()))), dy);
    }
  },
  /** Y = max X; dX = dY at the maximum, shared where several elements are equally great. */
  MAX("ReduceMax") {
    @Override
    String derivative(Differential d, String dy) {
      return atExtreme(d, dy);
    }
  },
  /** Y = min X; as for the maximum. */
  MIN("ReduceMin") {
    @Override
    String derivative(Differential d, String dy) {
      return atExtreme(d, dy);
    }
  };

  private final String operator;

  Reduction(String operator) {
    this.operator = operator;
  }

  String operator() {
    return operator;
  }

  abstract String derivative(Differential d, String dy);

  @Override
  public void apply(Differential d) {
    d.give(0, derivative(d, kept(d, d.dy())));
  }

  private static List<Integer> axes(Differential d) {
    OpNode node = d.node();
    if (node.hasInput(1) && node.integers("axes", 1).isEmpty()) {
      throw d.refused("its axes '%s' are known at run time only".formatted(node.input(1)));
    }
    return ReductionShapes.reducedAxes(node, d.rank(0));
  }

  /** A tensor of the output's shape with the reduced axes put back. */
  private static String kept(Differential d, String value) {
    if (ReductionShapes.isTotal(d.node())) {
      return value;
    }
    List<Integer> axes = axes(d);
    if (d.node().intAttribute("keepdims", 1) != 0 || axes.isEmpty()) {
      return value;
    }
    return d.emit().unsqueeze(value, axes.stream().mapToLong(Integer::longValue).toArray());
  }

  /** One over the number of elements that a mean is taken of. */
  private static String share(Differential d) {
    List<Integer> axes = axes(d);
    Dim count = Dim.ONE;
    for (int axis : axes) {
      count = count.times(d.node().facts(0).dim(axis).orElseThrow());
    }
    if (count.isConstant()) {
      return d.scalar(1.0 / count.value());
    }
    long[] places = axes.stream().mapToLong(Integer::longValue).toArray();
    String lengths = d.emit().op("Gather", d.emit().shapeOf(d.x(0)), d.emit().vector(places));
    String product =
        d.emit()
            .cast(
                d.emit().op("ReduceProd", List.of(lengths), Attributes.of("keepdims", 0L)),
                d.type());
    return d.emit().op("Reciprocal", product);
  }

  private static String atExtreme(Differential d, String dy) {
    String isThere = d.emit().cast(d.emit().op("Equal", d.x(0), kept(d, d.y())), d.type());
    String count = d.emit().sumKept(isThere, axes(d));
    return d.emit().mul(isThere, d.emit().op("Div", dy, count));
  }
}

package dev.graft.autodiff;

/**
 * Addition, subtraction, multiplication and division. An input that was broadcast gets the sum over
 * the axes along which it was.
 */
enum Arithmetic implements Rule {
  /** Y = A + B; dA = dY, dB = dY. */
  ADD("Add") {
    @Override
    public void apply(Differential d) {
      giveAll(d);
    }
  },
  /** Y = A + B + …; each gets dY. */
  SUM("Sum") {
    @Override
    public void apply(Differential d) {
      giveAll(d);
    }
  },
  /** Y = A − B; dA = dY, dB = −dY. */
  SUB("Sub") {
    @Override
    public void apply(Differential d) {
      if (d.wants(0)) {
        d.giveReduced(0, d.dy());
      }
      if (d.wants(1)) {
        d.give(1, d.emit().op("Neg", d.broadcasts().reduced(d.dy(), d.x(1))));
      }
    }
  },
  /** Y = A · B; dA = dY · B, dB = dY · A. */
  MUL("Mul") {
    @Override
    public void apply(Differential d) {
      if (d.wants(0)) {
        d.giveReduced(0, d.emit().mul(d.dy(), d.x(1)));
      }
      if (d.wants(1)) {
        d.giveReduced(1, d.emit().mul(d.dy(), d.x(0)));
      }
    }
  },
  /** Y = A / B; dA = dY / B, dB = −dY · Y / B. */
  DIV("Div") {
    @Override
    public void apply(Differential d) {
      if (!d.wants(0) && !d.wants(1)) {
        return;
      }
      String scaled = d.emit().op("Div", d.dy(), d.x(1));
      if (d.wants(0)) {
        d.giveReduced(0, scaled);
      }
      if (d.wants(1)) {
        String product = d.emit().mul(scaled, d.y());
        d.give(1, d.emit().op("Neg", d.broadcasts().reduced(product, d.x(1))));
      }
    }
  };

  private final String operator;

  Arithmetic(String operator) {
    this.operator = operator;
  }

  String operator() {
    return operator;
  }

  private static void giveAll(Differential d) {
    for (int i = 0; i < d.node().inputs(); i++) {
      if (d.wants(i)) {
        d.giveReduced(i, d.dy());
      }
    }
  }
}

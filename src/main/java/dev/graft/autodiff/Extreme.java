package dev.graft.autodiff;

/** The greatest or least of several inputs, element by element. */
enum Extreme implements Rule {
  /** Y = max(A, B, …); each gets dY where it is Y, a share where several are. */
  MAX("Max"),
  /** Y = min(A, B, …); likewise. */
  MIN("Min");

  private final String operator;

  Extreme(String operator) {
    this.operator = operator;
  }

  String operator() {
    return operator;
  }

  @Override
  public void apply(Differential d) {
    int inputs = d.node().inputs();
    String[] isY = new String[inputs];
    String count = "";
    for (int i = 0; i < inputs; i++) {
      isY[i] = d.emit().cast(d.emit().op("Equal", d.x(i), d.y()), d.type());
      count = i == 0 ? isY[i] : d.emit().add(count, isY[i]);
    }
    String share = d.emit().op("Div", d.dy(), count);
    for (int i = 0; i < inputs; i++) {
      if (d.wants(i)) {
        d.giveReduced(i, d.emit().mul(share, isY[i]));
      }
    }
  }
}

package dev.graft.autodiff;

import java.util.Optional;

/**
 * Y = A<sup>B</sup>.
 *
 * <p>dA = dY · B · A<sup>B−1</sup>, with the usual exponents written out: 2·A for B = 2, 3·A² for B
 * = 3. dB = dY · Y · ln A.
 */
final class PowRule implements Rule {

  @Override
  public void apply(Differential d) {
    if (d.wants(0)) {
      d.giveReduced(0, d.emit().mul(d.dy(), derivative(d)));
    }
    if (d.wants(1)) {
      d.giveReduced(1, d.emit().mul(d.dy(), d.emit().mul(d.y(), d.emit().op("Log", d.x(0)))));
    }
  }

  private static String derivative(Differential d) {
    Emitter emit = d.emit();
    String a = d.x(0);
    Optional<Double> exponent = d.number(1);
    if (exponent.isEmpty()) {
      String one = emit.cast(d.scalar(1), d.node().facts(1).type().orElse(d.type()));
      String power = emit.op("Pow", a, emit.sub(d.x(1), one));
      return emit.mul(power, emit.cast(d.x(1), d.type()));
    }
    double b = exponent.get();
    if (b == 2) {
      return emit.mul(a, d.scalar(2));
    }
    if (b == 3) {
      return emit.mul(emit.mul(a, a), d.scalar(3));
    }
    return emit.mul(emit.op("Pow", a, d.scalar(b - 1)), d.scalar(b));
  }
}

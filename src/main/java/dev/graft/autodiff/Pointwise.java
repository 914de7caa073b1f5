package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import java.util.List;

/** Functions of one input, element by element: dX = dY · f'(X). */
enum Pointwise implements Rule {
  /** Y = −X; dX = −dY. */
  NEG("Neg") {
    @Override
    String derivative(Differential d) {
      return d.emit().op("Neg", d.dy());
    }
  },
  /** Y = √X; dX = ½ · dY / Y. */
  SQRT("Sqrt") {
    @Override
    String derivative(Differential d) {
      return d.emit().op("Div", d.emit().mul(d.dy(), d.scalar(0.5)), d.y());
    }
  },
  /** Y = 1/X; dX = −dY · Y². */
  RECIPROCAL("Reciprocal") {
    @Override
    String derivative(Differential d) {
      return d.emit().op("Neg", d.emit().mul(d.emit().mul(d.dy(), d.y()), d.y()));
    }
  },
  /** Y = exp X; dX = dY · Y. */
  EXP("Exp") {
    @Override
    String derivative(Differential d) {
      return d.emit().mul(d.dy(), d.y());
    }
  },
  /** Y = ln X; dX = dY / X. */
  LOG("Log") {
    @Override
    String derivative(Differential d) {
      return d.emit().op("Div", d.dy(), d.x(0));
    }
  },
  /** Y = |X|; dX = dY · sign X. */
  ABS("Abs") {
    @Override
    String derivative(Differential d) {
      return d.emit().mul(d.dy(), d.emit().op("Sign", d.x(0)));
    }
  },
  /** Y = sin X; dX = dY · cos X. */
  SIN("Sin") {
    @Override
    String derivative(Differential d) {
      return d.emit().mul(d.dy(), d.emit().op("Cos", d.x(0)));
    }
  },
  /** Y = cos X; dX = −dY · sin X. */
  COS("Cos") {
    @Override
    String derivative(Differential d) {
      return d.emit().op("Neg", d.emit().mul(d.dy(), d.emit().op("Sin", d.x(0))));
    }
  },
  /** Y = erf X; dX = dY · 2/√π · exp(−X²). */
  ERF("Erf") {
    @Override
    String derivative(Differential d) {
      String bell = d.emit().op("Exp", d.emit().op("Neg", d.emit().mul(d.x(0), d.x(0))));
      return d.emit().mul(d.dy(), d.emit().mul(bell, d.scalar(2 / Math.sqrt(Math.PI))));
    }
  },
  /** Y = tanh X; dX = dY · (1 − Y²). */
  TANH("Tanh") {
    @Override
    String derivative(Differential d) {
      return d.emit().mul(d.dy(), d.emit().sub(d.scalar(1), d.emit().mul(d.y(), d.y())));
    }
  },
  /** Y = 1/(1 + exp −X); dX = dY · Y · (1 − Y). */
  SIGMOID("Sigmoid") {
    @Override
    String derivative(Differential d) {
      return d.emit().mul(d.dy(), d.emit().mul(d.y(), d.emit().sub(d.scalar(1), d.y())));
    }
  },
  /** Y = ln(1 + exp X); dX = dY / (1 + exp −X). */
  SOFTPLUS("Softplus") {
    @Override
    String derivative(Differential d) {
      return d.emit().mul(d.dy(), d.emit().op("Sigmoid", d.x(0)));
    }
  },
  /** Y = max(X, 0); dX = dY where X > 0, 0 elsewhere. */
  RELU("Relu") {
    @Override
    String derivative(Differential d) {
      String isOn =
          d.emit()
              .op(
                  "Cast",
                  List.of(d.emit().op("Greater", d.x(0), d.scalar(0))),
                  Attributes.of("to", (long) d.type().onnxCode()));
      return d.emit().mul(d.dy(), isOn);
    }
  },
  /** Y = X · Φ(X), Φ the normal distribution and φ its density; dX = dY · (Φ(X) + X·φ(X)). */
  GELU("com.microsoft.Gelu") {
    @Override
    String derivative(Differential d) {
      return d.emit().op("com.microsoft.GeluGrad", d.dy(), d.x(0));
    }
  },
  /** Y = ½X · (1 + tanh(√(2/π) · (X + 0.044715·X³))); dX by the runtime's own kernel. */
  FAST_GELU("com.microsoft.FastGelu") {
    @Override
    String derivative(Differential d) {
      return d.emit().op("com.microsoft.FastGeluGrad", d.dy(), d.x(0));
    }
  },
  /** Y = X · σ(αX); dX = dY · σ(αX) · (1 + αX·(1 − σ(αX))). With α = 1 this is SiLU. */
  QUICK_GELU("com.microsoft.QuickGelu") {
    @Override
    String derivative(Differential d) {
      return d.emit()
          .op(
              "com.microsoft.QuickGeluGrad",
              List.of(d.dy(), d.x(0)),
              Attributes.of("alpha", d.node().floatAttribute("alpha", 1.702f)));
    }
  };

  private final String operator;

  Pointwise(String operator) {
    this.operator = operator;
  }

  String operator() {
    return operator;
  }

  abstract String derivative(Differential d);

  @Override
  public void apply(Differential d) {
    d.give(0, derivative(d));
  }
}

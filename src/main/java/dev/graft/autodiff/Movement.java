package dev.graft.autodiff;

import java.util.Arrays;
import java.util.List;

/** Operators that only put elements elsewhere or give them another type. */
enum Movement implements Rule {
  /** Y = X; dX = dY. */
  IDENTITY("Identity") {
    @Override
    public void apply(Differential d) {
      d.give(0, d.dy());
    }
  },
  /** Y = X in another shape; dX = dY in that of X. */
  RESHAPE("Reshape") {
    @Override
    public void apply(Differential d) {
      d.giveReshaped(0, d.dy());
    }
  },
  /** As Reshape. */
  FLATTEN("Flatten") {
    @Override
    public void apply(Differential d) {
      d.giveReshaped(0, d.dy());
    }
  },
  /** As Reshape. */
  SQUEEZE("Squeeze") {
    @Override
    public void apply(Differential d) {
      d.giveReshaped(0, d.dy());
    }
  },
  /** As Reshape. */
  UNSQUEEZE("Unsqueeze") {
    @Override
    public void apply(Differential d) {
      d.giveReshaped(0, d.dy());
    }
  },
  /** Y = X with its axes permuted; dX = dY permuted back. */
  TRANSPOSE("Transpose") {
    @Override
    public void apply(Differential d) {
      List<Integer> forth = MovementShapes.permutation(d.node(), d.rank(0));
      Integer[] back = new Integer[forth.size()];
      for (int i = 0; i < back.length; i++) {
        back[forth.get(i)] = i;
      }
      d.give(0, d.emit().transpose(d.dy(), Arrays.asList(back)));
    }
  },
  /** Y = X broadcast; dX = dY summed over the axes that grew. */
  EXPAND("Expand") {
    @Override
    public void apply(Differential d) {
      d.giveReduced(0, d.dy());
    }
  },
  /** Y = X in another float type; dX = dY in that of X. */
  CAST("Cast") {
    @Override
    public void apply(Differential d) {
      giveCast(d);
    }
  },
  /** As Cast. */
  CAST_LIKE("CastLike") {
    @Override
    public void apply(Differential d) {
      giveCast(d);
    }
  };

  private final String operator;

  Movement(String operator) {
    this.operator = operator;
  }

  String operator() {
    return operator;
  }

  private static void giveCast(Differential d) {
    Facts from = d.node().facts(0);
    if (!from.isFloat()) {
      throw d.refused("the type of '%s' is not known".formatted(d.x(0)));
    }
    boolean isSame = from.type().equals(d.emit().draft().facts(d.y()).type());
    d.give(0, isSame ? d.dy() : d.emit().cast(d.dy(), from.type().orElseThrow()));
  }
}

package dev.graft.autodiff;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Y = X repeated along its axes; dX = dY with each axis parted in repeats and length, summed over
 * the repeats.
 */
final class TileRule implements Rule {

  @Override
  public void apply(Differential d) {
    Emitter emit = d.emit();
    int rank = d.rank(0);
    // Repeats before lengths: [r0, n0, r1, n1, …].
    String lengths = emit.unsqueeze(emit.shapeOf(d.x(0)), 1);
    String repeats = emit.unsqueeze(d.x(1), 1);
    String parted = emit.op("Reshape", d.dy(), flat(emit, repeats, lengths));
    List<Integer> axes = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      axes.add(2 * i);
    }
    emit.draft()
        .learn(parted, new Facts(Optional.of(d.type()), Optional.empty(), Optional.empty()));
    d.give(0, emit.sumDropped(parted, axes));
  }

  private static String flat(Emitter emit, String repeats, String lengths) {
    return emit.reshape(emit.concat(1, List.of(repeats, lengths)), -1);
  }
}

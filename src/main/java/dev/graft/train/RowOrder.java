package dev.graft.train;

import dev.graft.train.TrainingOptions.Order;

/**
 * Which row comes at which place of the endless stream that batches are cut from. It is a function
 * of the place, so a run goes on anywhere without having been at the places before.
 */
final class RowOrder {

  private final Order kind;
  private final int rows;
  private final long seed;
  private int[] permutation = new int[0];
  private long permutedPass = -1;

  RowOrder(Order kind, int rows, long seed) {
    this.kind = kind;
    this.rows = rows;
    this.seed = seed;
  }

  /** The index of the row at a place, from 0. */
  int row(long place) {
    int within = (int) (place % rows);
    if (kind == Order.FILE) {
      return within;
    }
    long pass = place / rows;
    if (pass != permutedPass) {
      permutation = permutation(pass);
      permutedPass = pass;
    }
    return permutation[within];
  }

  private int[] permutation(long pass) {
    int[] order = new int[rows];
    Counter random = new Counter(seed, pass);
    for (int i = 0; i < rows; i++) {
      int other = (int) Math.floorMod(random.at(i), i + 1L);
      order[i] = order[other];
      order[other] = i;
    }
    return order;
  }
}

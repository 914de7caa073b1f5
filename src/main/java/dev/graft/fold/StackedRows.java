package dev.graft.fold;

import java.util.List;

/**
 * Rows of a tensor that changes several times over, each time beginning with what the change before
 * it left.
 */
final class StackedRows extends JoinedRows {

  private final int observer;

  /**
   * Prepares to change.
   *
   * @param changes first to last; at most one of them has to see all rows first
   */
  StackedRows(List<RowSource> changes) {
    super(changes);
    int found = -1;
    for (int i = 0; i < changes.size(); i++) {
      if (changes.get(i).needsAllRowsFirst()) {
        if (found >= 0) {
          throw new IllegalArgumentException("two changes that have to see all rows first");
        }
        found = i;
      }
    }
    this.observer = found;
  }

  @Override
  public boolean needsAllRowsFirst() {
    return observer >= 0;
  }

  @Override
  public void observe(long row, float[] values, int count) {
    for (int i = 0; i < observer; i++) {
      parts().get(i).apply(row, values, count);
    }
    parts().get(observer).observe(row, values, count);
  }
}

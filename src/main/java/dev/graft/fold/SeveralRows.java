package dev.graft.fold;

import java.util.List;

/** Rows of a tensor in which several parts change, none on another's place. */
final class SeveralRows extends JoinedRows {

  SeveralRows(List<RowSource> parts) {
    super(parts);
  }

  @Override
  public boolean needsAllRowsFirst() {
    return parts().stream().anyMatch(RowSource::needsAllRowsFirst);
  }

  @Override
  public void observe(long row, float[] values, int count) {
    for (RowSource part : parts()) {
      if (part.needsAllRowsFirst()) {
        part.observe(row, values, count);
      }
    }
  }

  @Override
  public boolean isSum() {
    return parts().stream().allMatch(RowSource::isSum);
  }
}

package dev.graft.fold;

import dev.graft.fold.Region.Axis;
import java.util.List;

/** Rows of a tensor of which a part changes; the part sees itself as a tensor of its own. */
final class RegionRows implements RowSource {

  private final RowSource part;
  private final Region region;
  private final float[] columns;

  /**
   * Puts a part into its place.
   *
   * @param part computes the part's rows
   * @param region where it lies
   * @param rowLength the length of the tensor's rows
   */
  RegionRows(RowSource part, Region region, int rowLength) {
    this.part = part;
    this.region = region;
    this.columns = new float[region.axis() == Axis.COLUMNS ? region.rowLength(rowLength) : 0];
  }

  /** What is done to one of the part's rows. */
  private interface Work {
    void on(long row, float[] values, int count);
  }

  @Override
  public boolean needsAllRowsFirst() {
    return part.needsAllRowsFirst();
  }

  @Override
  public void observe(long row, float[] values, int count) {
    within(row, values, count, part::observe);
  }

  @Override
  public void apply(long row, float[] values, int count) {
    within(row, values, count, part::apply);
  }

  @Override
  public boolean isSum() {
    return part.isSum();
  }

  @Override
  public void add(long row, float[] values, int count) {
    within(row, values, count, part::add);
  }

  @Override
  public void scale(long row, float[] values, int count) {
    within(row, values, count, part::scale);
  }

  @Override
  public void collectFactors(List<float[]> into) {
    part.collectFactors(into);
  }

  private void within(long row, float[] values, int count, Work work) {
    long from = region.outputs().from();
    if (region.axis() == Axis.COLUMNS) {
      // The kernel wants its arrays to begin where it begins.
      System.arraycopy(values, (int) from, columns, 0, columns.length);
      work.on(row, columns, columns.length);
      System.arraycopy(columns, 0, values, (int) from, columns.length);
    } else if (row >= from && row < from + region.outputs().count()) {
      work.on(row - from, values, count);
    }
  }

  @Override
  public void close() {
    part.close();
  }
}

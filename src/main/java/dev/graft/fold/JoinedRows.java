package dev.graft.fold;

import java.util.List;

/** Rows of a tensor in which several parts change, one after the other. */
abstract class JoinedRows implements RowSource {

  private final List<RowSource> parts;

  /**
   * Joins parts.
   *
   * @param parts first to last
   */
  JoinedRows(List<RowSource> parts) {
    this.parts = List.copyOf(parts);
  }

  final List<RowSource> parts() {
    return parts;
  }

  @Override
  public final void apply(long row, float[] values, int count) {
    for (RowSource part : parts) {
      part.apply(row, values, count);
    }
  }

  @Override
  public final void add(long row, float[] values, int count) {
    for (RowSource part : parts) {
      part.add(row, values, count);
    }
  }

  @Override
  public final void scale(long row, float[] values, int count) {
    for (RowSource part : parts) {
      part.scale(row, values, count);
    }
  }

  @Override
  public final void collectFactors(List<float[]> into) {
    parts.forEach(part -> part.collectFactors(into));
  }

  @Override
  public final void close() {
    parts.forEach(RowSource::close);
  }
}

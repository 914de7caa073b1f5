package dev.graft.fold;

import java.util.List;

/** Rows of a tensor in which several parts change, none on another's place. */
final class SeveralRows implements RowSource {

  private final List<RowSource> parts;

  SeveralRows(List<RowSource> parts) {
    this.parts = List.copyOf(parts);
  }

  @Override
  public boolean needsAllRowsFirst() {
    return parts.stream().anyMatch(RowSource::needsAllRowsFirst);
  }

  @Override
  public void observe(long row, float[] values, int count) {
    for (RowSource part : parts) {
      if (part.needsAllRowsFirst()) {
        part.observe(row, values, count);
      }
    }
  }

  @Override
  public void apply(long row, float[] values, int count) {
    for (RowSource part : parts) {
      part.apply(row, values, count);
    }
  }

  @Override
  public boolean isSum() {
    return parts.stream().allMatch(RowSource::isSum);
  }

  @Override
  public void add(long row, float[] values, int count) {
    for (RowSource part : parts) {
      part.add(row, values, count);
    }
  }

  @Override
  public void scale(long row, float[] values, int count) {
    for (RowSource part : parts) {
      part.scale(row, values, count);
    }
  }

  @Override
  public void collectFactors(List<float[]> into) {
    parts.forEach(part -> part.collectFactors(into));
  }

  @Override
  public void close() {
    parts.forEach(RowSource::close);
  }
}

package dev.graft.fold;

import dev.graft.fold.Factor.Window;
import dev.graft.match.Layout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Rows of a token table of which some are replaced. The new rows are read when their place comes,
 * or where the file holds the table the other way round, a window of their columns at a time.
 */
final class ReplacedRows {

  private ReplacedRows() {}

  /** Prepares to replace. */
  static RowSource of(Change.Rows change, AdapterValues adapter) {
    Factor values = new TensorFactor(change.values(), adapter);
    return change.layout() == Layout.OUT_IN
        ? new AsRows(values, change.indices())
        : new AsColumns(LeftFactor.turned(values), change.indices());
  }

  /** Stored rows are the table's rows. */
  private static final class AsRows implements RowSource {
    private final Factor values;
    private final Map<Long, Integer> places = new HashMap<>();
    private final float[] read;

    AsRows(Factor values, List<Long> indices) {
      this.values = values;
      this.read = new float[values.columns()];
      for (int i = 0; i < indices.size(); i++) {
        places.put(indices.get(i), i);
      }
    }

    @Override
    public void apply(long row, float[] stored, int count) {
      Integer place = places.get(row);
      if (place != null) {
        values.read(Window.ofRows(values, place, 1), read);
        System.arraycopy(read, 0, stored, 0, count);
      }
    }

    @Override
    public void close() {
      values.close();
    }
  }

  /** Stored rows are the table's columns. */
  private static final class AsColumns implements RowSource {
    private final LeftFactor columns;
    private final int[] indices;

    AsColumns(LeftFactor columns, List<Long> indices) {
      this.columns = columns;
      this.indices = indices.stream().mapToInt(Math::toIntExact).toArray();
    }

    @Override
    public void apply(long row, float[] stored, int count) {
      int from = columns.at(Math.toIntExact(row));
      float[] values = columns.values();
      for (int i = 0; i < indices.length; i++) {
        stored[indices[i]] = values[from + i];
      }
    }

    @Override
    public void close() {
      columns.close();
    }
  }
}

package dev.graft.adapter;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/** Values by module pattern; the first pattern that matches wins, in the order of the file. */
final class PatternTable<V> {

  private record Row<V>(ModulePattern pattern, V value) {}

  private final String where;
  private final List<Row<V>> rows;

  private PatternTable(String where, List<Row<V>> rows) {
    this.where = where;
    this.rows = rows;
  }

  static <V> PatternTable<V> of(String where, SequencedMap<String, V> values) {
    List<Row<V>> rows = new ArrayList<>();
    try {
      values.forEach((key, value) -> rows.add(new Row<>(ModulePattern.of(key), value)));
    } catch (FormatException e) {
      throw new FormatException(where + ": " + e.getMessage(), e);
    } catch (UnsupportedException e) {
      throw new UnsupportedException(where + ": " + e.getMessage(), e);
    }
    return new PatternTable<>(where, rows);
  }

  Optional<V> first(String module, StepBudget budget) {
    PatternText text = new PatternText(module, budget);
    try {
      for (Row<V> row : rows) {
        if (row.pattern().matchesTail(text)) {
          return Optional.of(row.value());
        }
      }
      return Optional.empty();
    } catch (FormatException e) {
      throw new FormatException(where + ": " + e.getMessage(), e);
    }
  }
}

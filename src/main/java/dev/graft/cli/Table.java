package dev.graft.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A table of plain text, its columns as wide as their widest cell. */
final class Table {

  private static final String GAP = "  ";

  private final List<Column> columns;
  private final List<String[]> rows = new ArrayList<>();

  /** On which side of a column its cells stand. */
  enum Side {
    LEFT,
    RIGHT
  }

  /**
   * A column.
   *
   * @param title its heading
   * @param side where its cells stand
   */
  record Column(String title, Side side) {}

  private Table(Column... columns) {
    this.columns = List.of(columns);
  }

  static Table of(Column... columns) {
    return new Table(columns);
  }

  static Column left(String title) {
    return new Column(title, Side.LEFT);
  }

  static Column right(String title) {
    return new Column(title, Side.RIGHT);
  }

  /** Adds a row, one cell for each column. */
  Table row(String... cells) {
    if (cells.length != columns.size()) {
      throw new IllegalArgumentException(
          "a row has " + cells.length + " cells, expected " + columns.size());
    }
    rows.add(Arrays.stream(cells).map(Visible::cell).toArray(String[]::new));
    return this;
  }

  /** Writes the headings and all rows, each behind the indent. */
  void print(PrintWriter out, String indent) {
    String[] titles = columns.stream().map(Column::title).toArray(String[]::new);
    int[] widths = new int[titles.length];
    measure(widths, titles);
    rows.forEach(row -> measure(widths, row));
    if (Arrays.stream(titles).anyMatch(title -> !title.isEmpty())) {
      print(out, indent, line(widths, titles));
    }
    rows.forEach(row -> print(out, indent, line(widths, row)));
  }

  private static void print(PrintWriter out, String indent, StringBuilder line) {
    out.println(indent + line.toString().stripTrailing());
  }

  private static void measure(int[] widths, String... cells) {
    for (int i = 0; i < cells.length; i++) {
      widths[i] = Math.max(widths[i], cells[i].length());
    }
  }

  private StringBuilder line(int[] widths, String... cells) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < cells.length; i++) {
      String pad = " ".repeat(widths[i] - cells[i].length());
      boolean right = columns.get(i).side() == Side.RIGHT;
      line.append(right ? pad : "").append(cells[i]).append(right ? "" : pad).append(GAP);
    }
    return line;
  }
}

package dev.graft.cli;

import static dev.graft.cli.Table.left;
import static dev.graft.cli.Table.right;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class TableTest {

  @Test
  void refusesARowOfAnotherLength() {
    assertThatThrownBy(() -> Table.of(left("a")).row("1", "2"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("a row has 2 cells, expected 1");
  }

  @Test
  void alignsCellsAndEndsLinesWithoutBlanks() {
    assertThat(
            print(
                Table.of(left("name"), right("n"), left(""))
                    .row("a", "100", "x")
                    .row("long name", "2", "")))
        .containsExactly("> name         n", "> a          100  x", "> long name    2");
  }

  @Test
  void hasNoHeadingWhereEveryTitleIsEmpty() {
    assertThat(print(Table.of(left(""), left("")).row("size", "3"))).containsExactly("> size  3");
  }

  private static String[] print(Table table) {
    StringWriter text = new StringWriter();
    table.print(new PrintWriter(text, true), "> ");
    return text.toString().split(System.lineSeparator());
  }
}

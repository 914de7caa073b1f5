package dev.graft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class VisibleTest {

  @Test
  void spellsOutWhatWouldSteerATerminal() {
    assertThat(Visible.message("tensor '\u001b[2J\u0007' \r\u009b31m"))
        .isEqualTo("tensor '\\u001b[2J\\u0007' \\u000d\\u009b31m");
  }

  @Test
  void spellsOutWhatTurnsTheDirectionOfText() {
    assertThat(Visible.cell("a\u202eb\u2066c")).isEqualTo("a\\u202eb\\u2066c");
  }

  @Test
  void keepsTheLinesOfAMessageButNotThoseOfACell() {
    assertThat(Visible.message("a\n  b")).isEqualTo("a\n  b");
    assertThat(Visible.cell("a\nb")).isEqualTo("a\\u000ab");
  }

  @Test
  void cutsWhatWouldFloodTheScreen() {
    assertThat(Visible.cell("x".repeat(1000))).hasSize(425).endsWith("x... (600 characters more)");
    assertThat(Visible.message("x".repeat(1 << 20))).hasSizeLessThan(17_000);
  }

  @Test
  void leavesNamesOfAllLanguagesAlone() {
    assertThat(Visible.cell("é 注意 🦀")).isEqualTo("é 注意 🦀");
  }
}

package dev.graft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FiguresTest {

  @ParameterizedTest
  @CsvSource({
    "0, 0 B",
    "999, 999 B",
    "1000, 1.0 kB",
    "999949, 999.9 kB",
    "999950, 1.0 MB",
    "90387630, 90.4 MB",
    "9223372036854775807, 9.2 EB"
  })
  void writesBytesWithAUnitThatFits(long bytes, String text) {
    assertThat(Figures.bytes(bytes)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "0.000021, 2.1e-05",
    "0.00999, 1.0e-02",
    "0.32, 0.320",
    "Infinity, Infinity",
    "NaN, NaN"
  })
  void writesErrorsWithTwoOrThreeDigits(double error, String text) {
    assertThat(Figures.error(error)).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"2.0, 2", "-1, -1", "0.5, 0.5", "1.4142135623730951, 1.4142135"})
  void writesFactorsWithoutNeedlessDigits(double factor, String text) {
    assertThat(Figures.factor(factor)).isEqualTo(text);
  }

  @Test
  void keepsThousandsApart() {
    assertThat(Figures.count(22_713_216)).isEqualTo("22,713,216");
  }

  @Test
  void writesSecondsAsPreciselyAsTheyMatter() {
    assertThat(Figures.seconds(0.256)).isEqualTo("0.26 s");
    assertThat(Figures.seconds(75.4)).isEqualTo("75 s");
  }
}

package dev.graft.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class LabelsTest {

  private static Labels labels(LossKind kind, long classes) {
    return new Labels(Task.SEQ_CLS, kind, classes, Path.of("rows.jsonl"));
  }

  private static Row row(RowLabel label) {
    return new Row(3, new long[] {5, 6}, new long[] {1, 1}, Optional.empty(), label);
  }

  @Test
  void refusesTooFewNumbersWhileItCounts() {
    Labels labels = labels(LossKind.MEAN_SQUARED_ERROR, 2);
    assertThatThrownBy(() -> labels.count(row(new RowLabel.Values(new float[] {1}))))
        .isInstanceOf(FormatException.class)
        .hasMessage("rows.jsonl line 3: has 1 labels, but the model has 2 outputs");
  }

  @Test
  void refusesWhatIsNoProbabilityWhileItCounts() {
    Labels labels = labels(LossKind.BINARY_CROSS_ENTROPY, 2);
    assertThatThrownBy(() -> labels.count(row(new RowLabel.Values(new float[] {1, 1.5f}))))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("line 3: label 1.5 is not between 0 and 1");
  }

  @Test
  void refusesALabelOfAnotherKindWhileItCounts() {
    Labels labels = labels(LossKind.BINARY_CROSS_ENTROPY, 2);
    assertThatThrownBy(() -> labels.count(row(new RowLabel.Category(1))))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("expected a list of 2 numbers");
  }

  @Test
  void countsNumbersAndClasses() {
    assertThat(
            labels(LossKind.BINARY_CROSS_ENTROPY, 2)
                .count(row(new RowLabel.Values(new float[] {0, 1}))))
        .isEqualTo(2);
    Labels classes = labels(LossKind.CROSS_ENTROPY, 2);
    assertThat(classes.count(row(new RowLabel.Category(1)))).isEqualTo(1);
    assertThat(classes.count(row(new RowLabel.Category(RowLabel.IGNORED)))).isZero();
  }
}

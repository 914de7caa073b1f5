package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Changes on top of each other. */
class StackedRowsTest {

  /** Adds a number, and remembers what it saw. */
  private static final class Adding implements RowSource {
    private final float number;
    private final boolean observes;
    private final List<Float> seen = new ArrayList<>();
    private boolean closed;

    Adding(float number, boolean observes) {
      this.number = number;
      this.observes = observes;
    }

    @Override
    public boolean needsAllRowsFirst() {
      return observes;
    }

    @Override
    public void observe(long row, float[] values, int count) {
      seen.add(values[0]);
    }

    @Override
    public void apply(long row, float[] values, int count) {
      values[0] = 10 * values[0] + number;
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  @Test
  void refusesTwoThatHaveToSeeAllRowsFirst() {
    assertThatThrownBy(() -> new StackedRows(List.of(new Adding(1, true), new Adding(2, true))))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void beginsEachChangeWithWhatTheOneBeforeLeft() {
    Adding first = new Adding(1, false);
    Adding second = new Adding(2, true);
    Adding third = new Adding(3, false);
    StackedRows stacked = new StackedRows(List.of(first, second, third));

    assertThat(stacked.needsAllRowsFirst()).isTrue();
    stacked.observe(0, new float[] {7}, 1);
    float[] values = {7};
    stacked.apply(0, values, 1);
    stacked.close();

    assertThat(second.seen).containsExactly(71f);
    assertThat(first.seen).isEmpty();
    assertThat(values).containsExactly(7123f);
    assertThat(first.closed && second.closed && third.closed).isTrue();
    assertThat(new StackedRows(List.of(first, third)).needsAllRowsFirst()).isFalse();
  }
}

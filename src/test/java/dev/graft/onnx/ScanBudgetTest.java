package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.UnsupportedException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ScanBudgetTest {

  private static final long HEAP = 64L << 20;

  private final ScanBudget budget = new ScanBudget(Path.of("m.onnx"), HEAP);

  @ParameterizedTest
  @ValueSource(longs = {(HEAP >> 3) + 1, 1L << 61, Long.MAX_VALUE})
  void refusesBytesThatWouldFillTheHeap(long bytes) {
    assertThatThrownBy(() -> budget.spendBytes(bytes))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContainingAll("m.onnx: holds too much beside its tensors", "64 MB", "-Xmx8g");
  }

  @Test
  void refusesFieldsThatWouldFillTheHeap() {
    for (int i = 0; i < HEAP / 128; i++) {
      budget.spendField();
    }
    assertThatThrownBy(budget::spendField).isInstanceOf(UnsupportedException.class);
  }

  @Test
  void refusesMessagesThatWouldFillTheHeap() {
    for (int i = 0; i < HEAP / MessageKind.TENSOR.heapBytes(); i++) {
      budget.spendMessage(MessageKind.TENSOR);
    }
    assertThatThrownBy(() -> budget.spendMessage(MessageKind.TENSOR))
        .isInstanceOf(UnsupportedException.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {HEAP / 24 + 1, 1L << 61, Long.MAX_VALUE})
  void refusesDenseBytesThatWouldFillTheHeap(long bytes) {
    budget.spendDense(0);
    assertThatThrownBy(() -> budget.spendDense(bytes)).isInstanceOf(UnsupportedException.class);
  }

  @Test
  void refusesMoreThanArraysHoldOnAnyHeap() {
    ScanBudget large = new ScanBudget(Path.of("m.onnx"), Long.MAX_VALUE);
    assertThatThrownBy(() -> large.spendBytes(Integer.MAX_VALUE))
        .isInstanceOf(UnsupportedException.class);
  }

  @Test
  void letsTheGraphOfALargeModelPassInASmallHeap() {
    assertThatCode(
            () -> {
              budget.spendBytes(5 << 20);
              for (int i = 0; i < 100_000; i++) {
                budget.spendField();
              }
            })
        .doesNotThrowAnyException();
  }
}

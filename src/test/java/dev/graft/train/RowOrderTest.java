package dev.graft.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.train.TrainingOptions.Order;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class RowOrderTest {

  private static int[] places(RowOrder order, int from, int to) {
    return IntStream.range(from, to).map(place -> order.row(place)).toArray();
  }

  @Test
  void goesThroughTheFileOverAndOver() {
    assertThat(places(new RowOrder(Order.FILE, 3, 1), 0, 7)).containsExactly(0, 1, 2, 0, 1, 2, 0);
  }

  @Test
  void takesEveryRowOnceAPassInAnotherOrderEachTime() {
    RowOrder order = new RowOrder(Order.SHUFFLED, 50, 1);
    int[] first = places(order, 0, 50);
    int[] second = places(order, 50, 100);
    assertThat(first).doesNotHaveDuplicates().hasSize(50);
    assertThat(second).containsExactlyInAnyOrder(first).isNotEqualTo(first);
    assertThat(places(order, 0, 50)).isEqualTo(first);
    assertThat(places(new RowOrder(Order.SHUFFLED, 50, 2), 0, 50)).isNotEqualTo(first);
  }

  @Test
  void shufflesWithoutFavour() {
    int[] counts = new int[4];
    for (int seed = 0; seed < 8000; seed++) {
      counts[new RowOrder(Order.SHUFFLED, 4, seed).row(0)]++;
    }
    for (int count : counts) {
      assertThat(count / 8000.0).isCloseTo(0.25, within(0.02));
    }
  }

  @Test
  void givesBitsThatAreEvenAndDependOnEveryPartOfTheKey() {
    long ones = 0;
    for (int i = 0; i < 10_000; i++) {
      ones += Long.bitCount(new Counter(1, 2, 3).at(i));
    }
    assertThat(ones / 640_000.0).isCloseTo(0.5, within(0.005));
    assertThat(new Counter(1, 2).at(0)).isNotEqualTo(new Counter(2, 1).at(0));
    assertThat(new Counter(1, 2).at(0)).isNotEqualTo(new Counter(1, 2).at(1));
  }
}

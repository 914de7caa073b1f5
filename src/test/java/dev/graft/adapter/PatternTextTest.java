package dev.graft.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import java.util.BitSet;
import org.junit.jupiter.api.Test;

class PatternTextTest {

  private final StepBudget budget = new StepBudget(100);

  @Test
  void namesThePatternThatCostTooMuch() {
    PatternText text = new PatternText("abc", budget);
    text.matching("first");
    text.spend(90);
    text.matching("second");
    assertThatThrownBy(() -> text.spend(20))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("pattern \"second\"");
  }

  @Test
  void paysForTheCharactersOfANameOnce() {
    PatternText text = new PatternText("abcde", budget);
    assertThat(text.length()).isEqualTo(5);
    assertThat(text.codePoint(4)).isEqualTo('e');
    assertThat(text.withoutSurrogates()).isSameAs(text.withoutSurrogates());
    assertThat(budget.spent()).isEqualTo(10);
  }

  @Test
  void handsOutSetsAgainEmptied() {
    PatternText text = new PatternText("abcde", budget);
    BitSet first = text.at(3);
    BitSet copy = text.copy(first);
    assertThat(copy).isEqualTo(first).isNotSameAs(first);
    text.release(first);
    BitSet next = text.none();
    assertThat(next).isSameAs(first);
    assertThat(next.isEmpty()).isTrue();
    assertThat(text.instead(copy, next)).isSameAs(next);
    assertThat(text.none()).isSameAs(copy);
  }

  @Test
  void countsACharacterBeyondTheBasicPlaneOnce() {
    PatternText text = new PatternText("a\ud83d\ude00b\n", budget);
    assertThat(text.length()).isEqualTo(4);
    assertThat(text.withoutSurrogates()).isEqualTo("a\ufffdb\n");
    assertThat(text.hasNewline()).isTrue();
    assertThat(text.endsWithNewline()).isTrue();
    assertThat(text.isWord(-1)).isFalse();
    assertThat(text.isWord(2)).isTrue();
  }
}

package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class PrefixVotesTest {

  @Test
  void neverCutsANameWithinAPart() {
    assertThat(PrefixVotes.of(List.of("query"), List.of("model.subquery", "my_query")).all())
        .isEmpty();
  }

  @Test
  void findsWhatEitherSideHasInFront() {
    assertThat(PrefixVotes.of(List.of("layer.query"), List.of("a.b.layer.query")).all())
        .containsExactly(new Prefix("", "a.b."));
    assertThat(PrefixVotes.of(List.of("bert.layer.query"), List.of("layer.query")).all())
        .containsExactly(new Prefix("bert.", ""));
  }

  @Test
  void putsThePrefixOfMostNamesFirst() {
    PrefixVotes votes =
        PrefixVotes.of(List.of("q", "k", "v"), List.of("odd.q", "model.q", "model.k", "model.v"));
    assertThat(votes.leading(1)).containsExactly(new Prefix("", "model."));
    assertThat(votes.leading(5)).hasSize(2);
  }
}

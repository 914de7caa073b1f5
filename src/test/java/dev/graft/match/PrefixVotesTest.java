package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PrefixVotesTest {

  private static PrefixVotes votes(List<String> wanted, List<String> names) {
    PrefixVotes votes = new PrefixVotes();
    wanted.forEach(w -> votes.want(w, w));
    votes.count(names);
    return votes;
  }

  @Test
  void namesNoPrefixThatOneModuleAloneSpeaksFor() {
    PrefixVotes votes = votes(List.of("q_proj"), List.of("layers.0.q_proj"));

    assertThat(votes.complete()).containsExactly(Prefix.NONE);
    assertThat(votes.best()).isEmpty();
  }

  @Test
  void doesNotCutNamesInTheMiddleOfAPart() {
    PrefixVotes votes = votes(List.of("proj", "out"), List.of("q_proj", "q_out"));

    assertThat(votes.complete()).containsExactly(Prefix.NONE);
  }

  @Test
  void leavesOutAPrefixThatServesHalf() {
    PrefixVotes votes =
        votes(List.of("a.q", "a.k", "b.q", "b.k"), List.of("m.a.q", "m.a.k", "x.b.q"));

    assertThat(votes.complete()).containsExactly(Prefix.NONE);
    assertThat(votes.best()).containsExactly(new Prefix("", "m."));
  }

  @Test
  void takesAPrefixThatOneTargetSpeaksForOnlyIfAllModulesOfTheFileHaveIt() {
    PrefixVotes votes = votes(List.of("head"), List.of("m.head", "m.head2", "x.head"));

    votes.wrap(List.of("m.head", "m.head2", "x.head"));
    assertThat(votes.complete()).containsExactly(Prefix.NONE);
    votes.wrap(List.of("m.head"));
    assertThat(votes.complete()).containsExactly(Prefix.NONE);
    votes.wrap(List.of("m.head", "m2.head"));
    assertThat(votes.complete()).containsExactly(Prefix.NONE);
    votes.wrap(List.of("m.head", "m.head2", "m.a.b"));
    assertThat(votes.complete()).containsExactly(Prefix.NONE, new Prefix("", "m."));
  }

  @Test
  void findsWhatTheFileHasInFront() {
    PrefixVotes votes =
        votes(List.of("a.q", "a.k"), List.of("0.auto_model.a.q", "0.auto_model.a.k"));

    assertThat(votes.complete()).containsExactly(Prefix.NONE, new Prefix("", "0.auto_model."));
  }

  @Test
  void findsWhatTheFileLacks() {
    PrefixVotes votes = votes(List.of("bert.a.q", "bert.a.k"), List.of("a.q", "a.k"));

    assertThat(votes.complete()).containsExactly(Prefix.NONE, new Prefix("bert.", ""));
  }

  @Test
  void countsAModuleOnceHoweverManyParametersItHas() {
    PrefixVotes votes = new PrefixVotes();
    votes.want("head.weight", "head");
    votes.want("head.bias", "head");
    votes.count(List.of("m.head.weight", "m.head.bias", "m.head"));

    assertThat(votes.complete()).containsExactly(Prefix.NONE);
  }

  @Test
  void passesOverNamesOfEndlessParts() {
    String endless = "a.".repeat(100_000) + "q";

    assertThat(votes(List.of("q", "a.q"), List.of(endless)).complete())
        .containsExactly(Prefix.NONE);
    assertThat(votes(List.of(endless, "x"), List.of("q")).complete()).containsExactly(Prefix.NONE);
  }

  @Test
  void keepsTheOrderWhateverTheOrderOfNames() {
    List<String> names =
        IntStream.range(0, 20).boxed().flatMap(i -> List.of(i + ".q", i + ".k").stream()).toList();

    assertThat(votes(List.of("q", "k"), names).best())
        .isEqualTo(votes(List.of("k", "q"), names.reversed()).best());
  }
}

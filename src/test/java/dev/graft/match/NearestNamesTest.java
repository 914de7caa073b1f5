package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class NearestNamesTest {

  @Test
  void namesNothingThatLooksQuiteDifferent() {
    assertThat(NearestNames.of("query", List.of("layernorm", "x", "embeddings.word"))).isEmpty();
  }

  @Test
  void passesOverEndlessNames() {
    assertThat(NearestNames.of("a".repeat(1000), List.of("a".repeat(1000)))).isEmpty();
    assertThat(NearestNames.of("query", List.of("q".repeat(1000), "querx")))
        .containsExactly("querx");
  }

  @Test
  void putsTheNearestFirstAndEqualOnesByName() {
    assertThat(
            NearestNames.of(
                "layer.0.query",
                List.of("layer.0.value", "layer.2.query", "layer.1.query", "layer.0.quer")))
        .containsExactly("layer.0.quer", "layer.1.query", "layer.2.query");
  }

  @Test
  void takesANameThatOnlyHasMoreInFrontForTheNearest() {
    assertThat(NearestNames.of("q_proj", List.of("k_proj", "model.layers.0.self_attn.q_proj")))
        .containsExactly("model.layers.0.self_attn.q_proj", "k_proj");
    assertThat(NearestNames.of("bert.encoder.layer.0.query", List.of("layer.0.query")))
        .containsExactly("layer.0.query");
  }
}

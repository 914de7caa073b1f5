package dev.graft.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class TokenIndicesTest extends AdapterFixture {

  private TokenIndices indices(String json, StepBudget budget) throws IOException {
    return new TokenIndices(
        AdapterConfig.read(
            config("\"trainable_token_indices\": " + json).resolve("adapter_config.json")),
        budget);
  }

  private TokenIndices indices(String json) throws IOException {
    return indices(json, new StepBudget(1000));
  }

  @Test
  void stopsWhereManyNamesMeetManyModules() throws IOException {
    TokenIndices indices = indices("{\"a\": [1], \"b\": [2], \"c\": [3]}", new StepBudget(60));
    indices.of("x");
    indices.of("x");
    assertThatThrownBy(() -> indices.of("x"))
        .isInstanceOf(FormatException.class)
        .hasMessageContainingAll("trainable_token_indices", "given up after 60 steps");
  }

  @Test
  void knowsRowsThatCannotBe() throws IOException {
    assertThat(indices("[1, 2, 1]").of("e").orElseThrow().isSound()).isFalse();
    assertThat(indices("[1, -2]").of("e").orElseThrow().isSound()).isFalse();
    assertThat(indices("[]").of("e").orElseThrow().isSound()).isTrue();
  }

  @Test
  void givesAListToEveryModule() throws IOException {
    assertThat(indices("[5, 3]").of("anything"))
        .contains(new TokenIndices.Rows(List.of(5L, 3L), true));
  }

  @Test
  void givesAModuleTheListOfTheFirstNameThatItEndsWith() throws IOException {
    TokenIndices indices = indices("{\"wte\": [1], \"te\": [2], \"e\": [3]}");
    assertThat(indices.of("m.wte").orElseThrow().indices()).containsExactly(1L);
    assertThat(indices.of("m.te").orElseThrow().indices()).containsExactly(2L);
    assertThat(indices.of("m.e").orElseThrow().indices()).containsExactly(3L);
    assertThat(indices.of("m.x")).isEmpty();
  }
}

package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.match.PackedNames.Kind;
import dev.graft.match.PackedNames.Part;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PackedNamesTest {

  @ParameterizedTest
  @ValueSource(strings = {"dense", "layers.0.o_proj", "query_key_value", "gate", "key.dense", ""})
  void knowsNothingOfOtherModules(String module) {
    assertThat(PackedNames.part(module)).isEmpty();
    assertThat(PackedNames.pack(module)).isEmpty();
    assertThat(PackedNames.aliases(module)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "a.k_proj, QKV, 1",
    "a.value, QKV, 2",
    "a.q_lin, QKV, 0",
    "v, QKV, 2",
    "a.b.up_proj, GATE_UP, 1"
  })
  void placesPartsInTheOrderOfTheOutputs(String module, Kind kind, int position) {
    Part part = PackedNames.part(module).orElseThrow();

    assertThat(part.kind()).isEqualTo(kind);
    assertThat(part.position()).isEqualTo(position);
    assertThat(part.siblings().get(position)).isEqualTo(module);
  }

  @Test
  void looksForPacksBesideThePart() {
    Part part = PackedNames.part("l.0.mlp.gate_proj").orElseThrow();

    assertThat(part.packs()).containsExactly("l.0.mlp.gate_up_proj");
    assertThat(part.perHead()).isEmpty();
    assertThat(PackedNames.part("l.attn.query").orElseThrow().perHead())
        .contains("l.attn.query_key_value");
    assertThat(PackedNames.part("query").orElseThrow().packs()).contains("qkv_proj", "c_attn");
  }

  @Test
  void namesThePartsOfAPackInEveryFamily() {
    assertThat(PackedNames.pack("a.qkv_proj").orElseThrow().parts())
        .contains(
            List.of("a.q_proj", "a.k_proj", "a.v_proj"), List.of("a.query", "a.key", "a.value"));
    assertThat(PackedNames.pack("a.qkv_proj").orElseThrow().others())
        .contains("a.in_proj")
        .doesNotContain("a.qkv_proj");
  }
}

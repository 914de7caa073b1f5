package dev.graft.adapter;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/** The pairs of an {@code nn.MultiheadAttention} under the names that PEFT saves. */
class MultiheadPairsTest extends AdapterFixture {

  private PeftAdapter attention(String... specs) throws IOException {
    return PeftAdapter.open(adapter("", specs));
  }

  @Test
  void leavesAnOutProjectionAloneThatIsALayerOfItsOwn() throws IOException {
    PeftAdapter adapter =
        attention(
            M + "attn.lora_A.weight [2,4]",
            M + "attn.lora_B.weight [12,2]",
            M + "attn.out_proj.lora_A.weight [2,4]",
            M + "attn.out_proj.lora_B.weight [4,2]");

    assertThat(pair(adapter, "m.attn").scale()).isEqualTo(2);
    assertThat(pair(adapter, "m.attn.out_proj").scale()).isEqualTo(2);
    assertThat(adapter.warnings()).isEmpty();
  }

  @Test
  void namesThePackedProjectionAndCountsTheOutputProjectionTwice() throws IOException {
    PeftAdapter adapter =
        attention(
            M + "attn.lora_A.weight [2,4]",
            M + "attn.lora_B.weight [12,2]",
            M + "attn.base_layer.out_proj.lora_A.weight [2,4]",
            M + "attn.base_layer.out_proj.lora_B.weight [4,2]");

    assertThat(pair(adapter, "m.attn.in_proj").scale()).isEqualTo(2);
    assertThat(pair(adapter, "m.attn.out_proj").scale()).isEqualTo(4);
    assertThat(adapter.warnings())
        .singleElement()
        .satisfies(w -> assertThat(w).contains("out_proj", "twice"));
  }

  @Test
  void warnsOnceForAllAttentions() throws IOException {
    PeftAdapter adapter =
        attention(
            M + "a.lora_A.weight [2,4]",
            M + "a.lora_B.weight [12,2]",
            M + "a.base_layer.out_proj.lora_A.weight [2,4]",
            M + "a.base_layer.out_proj.lora_B.weight [4,2]",
            M + "b.lora_A.weight [2,4]",
            M + "b.lora_B.weight [12,2]",
            M + "b.base_layer.out_proj.lora_A.weight [2,4]",
            M + "b.base_layer.out_proj.lora_B.weight [4,2]");

    assertThat(adapter.warnings()).hasSize(1);
    assertThat(pair(adapter, "m.b.in_proj").b().shape().dim(0)).isEqualTo(12);
  }
}

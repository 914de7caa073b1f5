package dev.graft.fold;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.graft.fold.Provenance.AdapterRecord;
import dev.graft.fold.Provenance.BaseRecord;
import dev.graft.fold.Provenance.Changes;
import dev.graft.fold.Provenance.DataFileRecord;
import dev.graft.fold.Provenance.PartRecord;
import dev.graft.fold.Provenance.TensorRecord;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

class ProvenanceJsonTest {

  private static final Provenance RECORD =
      Provenance.of(
          "graft \"test\"",
          new AdapterRecord("Übung\n\u2028 \ud83d\ude00", "aa", -0.1),
          new BaseRecord("bb", List.of(new DataFileRecord("weights\\1.bin", 1L << 40))),
          new Changes(
              List.of(
                  new TensorRecord(
                      "onnx::MatMul_1",
                      List.of(new PartRecord("q", "lora", 2), new PartRecord("v", "dora", 1e-30)),
                      Optional.of("cc"),
                      "dd"),
                  new TensorRecord("new", List.of(), Optional.empty(), "")),
              List.of(new GraphChange("node", "Add_1", "Add after 'q'"))));

  @Test
  void refusesWhatIsNoRecord() {
    assertThatThrownBy(() -> ProvenanceJson.read("{\"schema\": ["))
        .isInstanceOf(JacksonException.class);
    assertThatThrownBy(() -> ProvenanceJson.read("[]")).isInstanceOf(JacksonException.class);
  }

  @Test
  void readsWhatItWrites() {
    assertThat(ProvenanceJson.read(new String(ProvenanceJson.write(RECORD), UTF_8)))
        .isEqualTo(RECORD);
  }

  @Test
  void writesEveryFieldInTheOrderOfTheRecords() {
    // Data binding is slow to start but cannot forget a field.
    JsonMapper binding =
        JsonMapper.builder()
            .changeDefaultPropertyInclusion(
                value -> value.withValueInclusion(JsonInclude.Include.NON_ABSENT))
            .build();
    assertThat(new String(ProvenanceJson.write(RECORD), UTF_8))
        .isEqualTo(binding.writeValueAsString(RECORD));
  }
}

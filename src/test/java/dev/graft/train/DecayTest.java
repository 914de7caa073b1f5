package dev.graft.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.match.Turn;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.tensor.TensorSource;
import dev.graft.train.Trained.Group;
import dev.graft.train.TrainingOptions.DecayOn;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DecayTest {

  @ParameterizedTest
  @CsvSource({
    "model.layers.0.self_attn.q_proj.lora_A.weight, 0.5",
    "bert.encoder.layer.0.attention.self.query.base_layer.bias, 0",
    "classifier.bias, 0",
    "classifier.weight, 0.5",
    "model.layers.0.input_layernorm.weight, 0",
    "model.norm.weight, 0",
    "bert.embeddings.LayerNorm.weight, 0",
    "transformer.h.0.ln_1.weight, 0",
    "transformer.ln_f.weight, 0",
    "model.layers.0.mlp.normaliser.weight, 0.5",
    "model.layers.0.mlp.kiln.weight, 0.5"
  })
  void sparesBiasesAndNorms(String name, double expected) {
    TensorSource bytes = new TensorSource(Path.of("f"), 0, 4);
    SafetensorsTensor source =
        new SafetensorsTensor("base_model.model." + name, DType.FLOAT32, Shape.of(1), bytes);
    Parameter parameter = new Parameter(name, Shape.of(1), new float[1]);
    Trained tensor = new Trained(parameter, source, Turn.AS_IS, Group.BRANCH);
    assertThat(Decay.of(tensor, 0.5, DecayOn.WEIGHTS)).isEqualTo(expected);
    assertThat(Decay.of(tensor, 0.5, DecayOn.ALL)).isEqualTo(0.5);
  }
}

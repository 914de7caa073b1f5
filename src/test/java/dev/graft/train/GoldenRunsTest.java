package dev.graft.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Holds whole runs against those of PEFT with {@code torch.optim.AdamW}. */
final class GoldenRunsTest {

  private static final double LOSS = 1e-5;
  private static final double WEIGHTS = 1e-4;
  private static final double GRADIENT = 1e-5;

  @TempDir Path folder;

  static List<String> cases() {
    return List.of(
        "bert-dynamo-plain",
        "bert-dynamo-save",
        "bert-ts-bias",
        "bert-ts-plain",
        "gpt2-dynamo-plain",
        "gpt2-ts-dora",
        "gpt2-ts-plain",
        "llama-dynamo-dora",
        "llama-dynamo-plain",
        "llama-ts-pattern",
        "llama-ts-plain",
        "llama-ts-rslora");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void givesTheGradientsLossesAndWeightsOfPeft(String name) throws Exception {
    Path golden = Path.of("testdata/cases", name, "train");
    JsonNode facts = JsonMapper.shared().readTree(Files.readString(golden.resolve("losses.json")));
    Runs run = new Runs(name, folder);
    run.task = name.startsWith("bert") ? Task.SEQ_CLS : Task.CAUSAL_LM;
    run.size = facts.get("batch").intValue();
    run.steps = facts.get("steps").intValue();
    run.learningRate = facts.get("lr").doubleValue();
    run.weightDecay = facts.get("weight_decay").doubleValue();
    run.gradients = Optional.of(folder.resolve("gradients.safetensors"));
    run.run();
    assertThat(run.losses()).hasSize(facts.get("losses").size());
    for (int i = 0; i < run.losses().size(); i++) {
      assertThat(run.losses().get(i))
          .isCloseTo(facts.get("losses").get(i).doubleValue(), within(LOSS));
    }
    assertThat(Runs.difference(run.trained(), Runs.tensors(golden.resolve("trained.safetensors"))))
        .isLessThan(WEIGHTS);
    requireGradients(golden.resolve("grads.safetensors"));
  }

  /** Norm-wise for each tensor. */
  private void requireGradients(Path golden) {
    SortedMap<String, float[]> ours = Runs.tensors(folder.resolve("gradients.safetensors"));
    SortedMap<String, float[]> theirs = Runs.tensors(golden);
    assertThat(ours.keySet()).isEqualTo(theirs.keySet());
    for (Map.Entry<String, float[]> entry : theirs.entrySet()) {
      float[] found = ours.getOrDefault(entry.getKey(), new float[0]);
      float[] difference = new float[found.length];
      for (int i = 0; i < found.length; i++) {
        difference[i] = found[i] - entry.getValue()[i];
      }
      double norm = GradientNorm.of(List.of(entry.getValue()));
      assertThat(GradientNorm.of(List.of(difference)))
          .as(entry.getKey())
          .isLessThanOrEqualTo(GRADIENT * norm);
    }
  }
}

package dev.graft.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.graft.error.UnsupportedException;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.TrainingSession;
import dev.graft.runtime.TrainingSettings;
import dev.graft.tensor.Shape;
import dev.graft.train.TrainingOptions.Rule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class ArtifactsWriterTest {

  private static final String LLAMA = "llama-ts-plain";
  private static final Rule ADAMW = new Rule.AdamW(0.9, 0.999, 1e-8);

  @TempDir Path folder;

  private static ArtifactsWriter.Written write(Path model, Path to, Rule rule) {
    TrainingOptions options = new Runs(LLAMA, to).options();
    return ArtifactsWriter.write(
        new ArtifactsOptions(
            model,
            options.sources().adapter(),
            options.sources().names(),
            options.loss(),
            rule,
            rule.equals(ADAMW) ? 0.01 : 0,
            options.machine().activations(),
            to));
  }

  private Path copy(String to) throws IOException {
    Path model = folder.resolve(to).resolve("base.onnx");
    Files.createDirectories(model.resolveSibling(""));
    return Files.copy(Path.of("testdata/cases", LLAMA, "base.onnx"), model);
  }

  @Test
  void refusesMomentumThatTheOptimizerGraphDoesNotHave() throws IOException {
    Path model = copy("m");
    assertThatThrownBy(() -> write(model, folder.resolve("o"), new Rule.Sgd(0.9)))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("momentum");
    assertThat(folder.resolve("o")).doesNotExist();
  }

  @Test
  void copiesNothingBesideOrAboveTheBase() throws IOException {
    Path model = copy("a/b");
    assertThat(write(model, folder.resolve("a/b"), ADAMW).copiedBytes()).isZero();
    assertThat(write(model, folder.resolve("a"), ADAMW).copiedBytes()).isZero();
    requireGolden(folder.resolve("a/b"));
    requireGolden(folder.resolve("a"));
    try (Stream<Path> files = Files.list(folder.resolve("a"))) {
      assertThat(files.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "b", "training_model.onnx", "eval_model.onnx", "optimizer_model.onnx", "checkpoint");
    }
  }

  @Test
  void copiesTheWeightsElsewhere() throws IOException {
    Path model = copy("a");
    ArtifactsWriter.Written written = write(model, folder.resolve("o"), ADAMW);
    assertThat(written.copiedBytes()).isEqualTo(Files.size(model));
    assertThat(written.inputs())
        .containsExactly("input_ids", "attention_mask", "label_rows", "labels", "loss_scale");
    Files.delete(model);
    requireGolden(folder.resolve("o"));
  }

  @Test
  void takesPlainDescent() throws IOException {
    Path model = copy("a");
    write(model, folder.resolve("a"), new Rule.Sgd(0));
    try (TrainingSession session =
        TrainingSession.open(folder.resolve("a"), TrainingSettings.defaults())) {
      session.setLearningRate(0.1);
      double before = loss(session.step(feeds(0)));
      session.optimizerStep();
      session.resetGradients();
      assertThat(loss(session.step(feeds(0)))).isLessThan(before);
    }
  }

  /** With no option set, ONNX Runtime's own optimizer gives PEFT's losses. */
  private void requireGolden(Path artifacts) throws IOException {
    JsonNode golden =
        JsonMapper.shared()
            .readTree(Files.readString(Path.of("testdata/cases", LLAMA, "train/losses.json")));
    try (TrainingSession session = TrainingSession.open(artifacts, TrainingSettings.defaults())) {
      session.setLearningRate(golden.get("lr").doubleValue());
      for (int step = 0; step < golden.get("losses").size(); step++) {
        double evaluated = loss(session.evaluate(feeds(step)));
        double trained = loss(session.step(feeds(step)));
        assertThat(trained).isCloseTo(golden.get("losses").get(step).doubleValue(), within(1e-5));
        assertThat(evaluated).isCloseTo(trained, within(1e-6));
        session.optimizerStep();
        session.resetGradients();
      }
    }
  }

  private static double loss(Map<String, HostTensor> outputs) {
    return outputs.values().iterator().next().toDoubles()[0];
  }

  private static Map<String, HostTensor> feeds(int step) {
    Path file = Path.of("testdata/cases", LLAMA, "train/data.jsonl");
    List<Row> all = Dataset.read(file, Task.CAUSAL_LM).rows();
    List<Row> rows = List.of(all.get(2 * step % all.size()), all.get((2 * step + 1) % all.size()));
    LossGraph.Names names = new LossGraph.Names("loss", "labels", "label_rows", "loss_scale");
    Labels.OfBatch labels =
        new Labels(Task.CAUSAL_LM, LossKind.CROSS_ENTROPY, 97, file).of(rows, names);
    long[] ids = new long[18];
    long[] mask = new long[18];
    for (int i = 0; i < 18; i++) {
      ids[i] = rows.get(i / 9).inputIds()[i % 9];
      mask[i] = 1;
    }
    Map<String, HostTensor> feeds = new HashMap<>(labels.feeds());
    feeds.put("input_ids", HostTensor.ofLongs(Shape.of(2, 9), ids));
    feeds.put("attention_mask", HostTensor.ofLongs(Shape.of(2, 9), mask));
    feeds.put("loss_scale", Labels.scale(1.0 / labels.count()));
    return feeds;
  }
}

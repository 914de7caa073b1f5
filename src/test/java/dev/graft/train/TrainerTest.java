package dev.graft.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.graft.autodiff.Objective.Activations;
import dev.graft.error.FormatException;
import dev.graft.error.RuntimeFailure;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import dev.graft.train.TrainingOptions.Averaging;
import dev.graft.train.TrainingOptions.DecayOn;
import dev.graft.train.TrainingOptions.Order;
import dev.graft.train.TrainingOptions.Rule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

final class TrainerTest {

  private static final String LLAMA = "llama-ts-plain";

  /** Rows with one, two, three and five labels that count. */
  private static final String[] UNEQUAL = {
    "{\"input_ids\":[75,56,92],\"labels\":[-100,-100,92]}",
    "{\"input_ids\":[64,3,10,76],\"labels\":[-100,-100,10,76]}",
    "{\"input_ids\":[81,17,81,87,12],\"labels\":[81,-100,81,87,12]}",
    "{\"input_ids\":[5,6,7,8,9,10],\"labels\":[5,6,7,8,9,10]}"
  };

  @TempDir Path folder;

  private Runs run(String output) {
    return new Runs(LLAMA, folder.resolve(output));
  }

  @Test
  void refusesALabelThatIsNoClass() {
    Runs run = run("o").withRows(folder.resolve("r"), "{\"input_ids\":[1,2],\"labels\":[-100,97]}");
    assertThatThrownBy(run::run)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("line 1: label 97 at place 1 is none of the model's 97 classes");
    assertThat(folder.resolve("o")).doesNotExist();
  }

  @Test
  void refusesRowsWithoutAnyLabel() {
    Runs run = run("o").withRows(folder.resolve("r"), "{\"input_ids\":[1,2],\"labels\":[1,-100]}");
    assertThatThrownBy(run::run)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("no row has a label that counts");
  }

  @Test
  void refusesToOverwriteTheAdapterThatItStartsFrom() {
    Runs run = run("o");
    run.output = Path.of("testdata/cases", LLAMA, "adapter");
    assertThatThrownBy(run::run).isInstanceOf(UsageException.class);
  }

  @Test
  void refusesToWriteGradientsOverTheModel() throws IOException {
    Path model = Files.copy(Path.of("testdata/cases", LLAMA, "base.onnx"), folder.resolve("m"));
    Runs run = run("o");
    run.model = model;
    run.gradients = Optional.of(model);
    assertThatThrownBy(run::run)
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("would overwrite the input");
    assertThat(model).hasSameBinaryContentAs(Path.of("testdata/cases", LLAMA, "base.onnx"));
    assertThat(folder.resolve("o")).doesNotExist();
  }

  @Test
  void refusesToOverwriteTheConfigurationThatItStartsFrom() throws IOException {
    Path start = Path.of("testdata/cases", LLAMA, "adapter");
    Files.createDirectory(folder.resolve("o"));
    Path config =
        Files.copy(start.resolve("adapter_config.json"), folder.resolve("o/adapter_config.json"));
    Runs run = run("o");
    run.adapter =
        Files.copy(
            start.resolve("adapter_model.safetensors"), folder.resolve("o/start.safetensors"));
    assertThatThrownBy(run::run)
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("o/adapter_config.json: the output would overwrite the input");
    assertThat(config).hasSameBinaryContentAs(start.resolve("adapter_config.json"));
  }

  @Test
  void refusesToReplaceTheCheckpointThatItStartsFrom() {
    Runs first = oneStep("o");
    Runs second = run("o");
    second.adapter = folder.resolve("o/checkpoint-1");
    second.saveSteps = first.saveSteps;
    assertThatThrownBy(second::run)
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("o/checkpoint-1")
        .hasMessageContaining("would overwrite the input");
  }

  /** A run that has left checkpoint-1. */
  private Runs oneStep(String output) {
    Runs run = run(output);
    run.steps = 1;
    run.saveSteps = OptionalLong.of(1);
    run.run();
    return run;
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "null", "{\"settings\":{},\"state\":{", "[1]", ""})
  void refusesACheckpointWhoseStateIsDamaged(String state) throws IOException {
    oneStep("a");
    Files.writeString(folder.resolve("a/checkpoint-1/graft_run.json"), state);
    Runs run = run("b");
    run.resume = Optional.of(folder.resolve("a/checkpoint-1"));
    assertThatThrownBy(run::run)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("graft_run.json: is missing or damaged");
    assertThat(folder.resolve("b")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"step", "place", "stepsSinceEntry"})
  void refusesACheckpointThatCountsBelowNone(String count) throws IOException {
    oneStep("a");
    Path state = folder.resolve("a/checkpoint-1/graft_run.json");
    String changed =
        Files.readString(state)
            .replaceFirst("\"" + count + "\" ?: ?\\d+", "\"" + count + "\" : -1");
    assertThat(changed).contains("-1");
    Files.writeString(state, changed);
    Runs run = run("b");
    run.resume = Optional.of(folder.resolve("a/checkpoint-1"));
    assertThatThrownBy(run::run)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("graft_run.json: is missing or damaged");
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-ts-plain", "llama-dynamo-plain", "gpt2-ts-plain"})
  void refusesATokenThatTheModelDoesNotKnow(String name) {
    Path rows = folder.resolve("r");
    Runs run =
        new Runs(name, folder.resolve("o"))
            .withRows(
                rows,
                "{\"input_ids\":[1,2],\"labels\":[1,2]}",
                "{\"input_ids\":[1,2,500],\"labels\":[1,2,3]}");
    assertThatThrownBy(run::run)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(rows + " line 2: token 500 at place 2 is none of the model's");
    assertThat(folder.resolve("o")).doesNotExist();
  }

  @Test
  void saysWhichRowsAStepFailedOn() {
    String ids = "[" + "1,".repeat(999) + "1]";
    Runs run =
        new Runs("gpt2-ts-plain", folder.resolve("o"))
            .withRows(folder.resolve("r"), "{\"input_ids\":%s,\"labels\":%s}".formatted(ids, ids));
    assertThatThrownBy(run::run)
        .isInstanceOf(RuntimeFailure.class)
        .hasMessageContaining("(rows of lines [1] of ")
        .hasMessageContaining(folder.resolve("r").toString());
  }

  @Test
  void refusesANumberForAnInputThatTheLossDoesNotNeed() {
    Runs run = run("o");
    run.inputs = Map.of("pixel_values", 1.0);
    assertThatThrownBy(run::run)
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("--set gives [pixel_values]");
  }

  @Test
  void refusesDropoutBesideDora() {
    Runs run = new Runs("gpt2-ts-dora", folder.resolve("o"));
    run.dropout = 0.1;
    assertThatThrownBy(run::run)
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("dropout beside DoRA");
  }

  @Test
  void stopsAtALossThatIsNoNumberAndKeepsTheLastGoodAdapter() {
    Runs run = run("o");
    run.learningRate = 1e30;
    run.rule = new Rule.Sgd(0);
    run.weightDecay = 0;
    assertThatThrownBy(run::run)
        .isInstanceOf(RuntimeFailure.class)
        .hasMessageContaining("step ")
        .hasMessageContaining("rows of lines [[")
        .hasMessageContaining("checkpoint-");
    assertThat(folder.resolve("o/adapter_model.safetensors")).doesNotExist();
  }

  @Test
  void skipsABatchWithoutLabelsAndSaysSo() {
    String empty = "{\"input_ids\":[1,2],\"labels\":[1,-100]}";
    Runs with = run("a").withRows(folder.resolve("r1"), UNEQUAL[3], empty, UNEQUAL[2]);
    with.size = 1;
    with.steps = 2;
    with.run();
    Runs without = run("b").withRows(folder.resolve("r2"), UNEQUAL[3], UNEQUAL[2]);
    without.size = 1;
    without.steps = 2;
    without.run();
    assertThat(with.warnings)
        .containsExactly("step 2: 1 of 1 batches have no label that counts and were skipped");
    assertThat(with.losses()).isEqualTo(without.losses());
    assertThat(Runs.difference(with.trained(), without.trained())).isZero();
  }

  @Test
  void accumulatesBatchesOfUnequalLabelsToWhatOneBatchGives() {
    Runs whole = run("a").withRows(folder.resolve("r"), UNEQUAL);
    whole.size = 4;
    whole.run();
    Runs parts = run("b").withRows(folder.resolve("r"), UNEQUAL);
    parts.size = 1;
    parts.accumulation = 4;
    parts.run();
    for (int i = 0; i < 6; i++) {
      assertThat(parts.losses().get(i)).isCloseTo(whole.losses().get(i), within(1e-6));
    }
    Runs means = run("c").withRows(folder.resolve("r"), UNEQUAL);
    means.size = 1;
    means.accumulation = 4;
    means.averaging = Averaging.BATCHES;
    means.run();
    assertThat(Math.abs(means.losses().getFirst() - whole.losses().getFirst())).isGreaterThan(1e-3);
  }

  private Runs shuffled(String output) {
    Runs run = run(output);
    run.dropout = 0.1;
    run.accumulation = 2;
    run.size = 1;
    run.order = Order.SHUFFLED;
    return run;
  }

  @Test
  void goesOnFromACheckpointToTheSameBits() {
    Runs through = shuffled("a");
    through.run();
    Runs first = shuffled("b");
    first.steps = 3;
    first.saveSteps = OptionalLong.of(3);
    first.run();
    Runs second = shuffled("c");
    second.resume = Optional.of(folder.resolve("b/checkpoint-3"));
    TrainingReport report = second.run();
    assertThat(Runs.difference(through.trained(), second.trained())).isZero();
    assertThat(report.log()).isEqualTo(through.log);
    assertThat(report.steps()).isEqualTo(6);
  }

  @Test
  void dropsPartsOfTheInputsOfBranchesByTheSeedAlone() {
    Runs one = run("a");
    one.dropout = 0.5;
    one.run();
    Runs same = run("b");
    same.dropout = 0.5;
    same.run();
    Runs other = run("c");
    other.dropout = 0.5;
    other.seed = 8;
    other.run();
    Runs none = run("d");
    none.run();
    assertThat(same.losses()).isEqualTo(one.losses());
    assertThat(other.losses()).isNotEqualTo(one.losses());
    assertThat(none.losses().getFirst()).isNotEqualTo(one.losses().getFirst());
  }

  @Test
  void saysWhichSettingsOfACheckpointAreOthers() {
    oneStep("a");
    Runs second = run("b");
    second.resume = Optional.of(folder.resolve("a/checkpoint-1"));
    second.learningRate = 1e-3;
    second.size = 3;
    assertThatThrownBy(second::run)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("learning-rate was 0.005 and is 0.001")
        .hasMessageContaining("per-device-train-batch-size was 2 and is 3");
  }

  @Test
  void saysWhereACheckpointIsOfOtherRowsOfAsGreatANumber() throws IOException {
    oneStep("a");
    Runs second = run("b");
    List<String> rows = new ArrayList<>(Files.readAllLines(second.rows));
    rows.set(0, rows.get(1));
    second.withRows(folder.resolve("r"), rows.toArray(String[]::new));
    second.resume = Optional.of(folder.resolve("a/checkpoint-1"));
    assertThatThrownBy(second::run)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("SHA-256 of the rows was");
  }

  @Test
  void saysWhereAFallingRateWouldFallOtherwise() {
    Runs first = run("a");
    first.schedule = Schedule.Kind.LINEAR;
    first.steps = 3;
    first.saveSteps = OptionalLong.of(3);
    first.run();
    Runs second = run("b");
    second.schedule = Schedule.Kind.LINEAR;
    second.resume = Optional.of(folder.resolve("a/checkpoint-3"));
    assertThatThrownBy(second::run)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("steps of the run was 3 and is 6");
  }

  @Test
  void replacesACheckpointOfTheSameName() throws IOException {
    oneStep("a");
    Path left = folder.resolve("a/checkpoint-1/left");
    Files.writeString(left, "from before");
    oneStep("a");
    assertThat(left).doesNotExist();
    try (Stream<Path> files = Files.list(folder.resolve("a"))) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .contains("checkpoint-1")
          .noneMatch(name -> name.startsWith("."));
    }
  }

  @Test
  void refusesACheckpointOfAnotherAdapter() {
    oneStep("a");
    Runs second = new Runs("gpt2-ts-plain", folder.resolve("b"));
    second.resume = Optional.of(folder.resolve("a/checkpoint-1"));
    assertThatThrownBy(second::run)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("checkpoint of");
  }

  @Test
  void savesWhereItIsAskedToEnd() {
    Runs run = run("a");
    run.endAfter = 2;
    TrainingReport report = run.run();
    assertThat(report.interrupted()).contains(folder.resolve("a/checkpoint-2"));
    assertThat(folder.resolve("a/adapter_model.safetensors")).doesNotExist();
    Runs rest = run("b");
    rest.resume = report.interrupted();
    rest.run();
    Runs through = run("c");
    through.run();
    assertThat(Runs.difference(rest.trained(), through.trained())).isZero();
  }

  @Test
  void decaysBiasesOnlyIfAllIsDecayed() {
    Runs all = new Runs("bert-ts-bias", folder.resolve("a"));
    Runs weights = new Runs("bert-ts-bias", folder.resolve("b"));
    for (Runs run : List.of(all, weights)) {
      run.task = Task.SEQ_CLS;
      run.weightDecay = 0.5;
      run.steps = 1;
    }
    weights.decayOn = DecayOn.WEIGHTS;
    all.run();
    weights.run();
    SortedMap<String, float[]> decayed = all.trained();
    SortedMap<String, float[]> kept = weights.trained();
    assertThat(kept.get("base_model.model.classifier.bias"))
        .isNotEqualTo(decayed.get("base_model.model.classifier.bias"));
    assertThat(kept.get("base_model.model.classifier.weight"))
        .isEqualTo(decayed.get("base_model.model.classifier.weight"));
    String bias =
        kept.keySet().stream().filter(k -> k.endsWith("base_layer.bias")).findFirst().orElseThrow();
    assertThat(kept.get(bias)).isNotEqualTo(decayed.get(bias));
  }

  @Test
  void cutsLongGradients() {
    Runs run = run("a");
    run.rule = new Rule.Sgd(0);
    run.weightDecay = 0;
    run.learningRate = 1;
    run.maxGradNorm = 0.01;
    run.steps = 1;
    run.run();
    SortedMap<String, float[]> start =
        Runs.tensors(Path.of("testdata/cases", LLAMA, "adapter/adapter_model.safetensors"));
    double sum = 0;
    for (Map.Entry<String, float[]> entry : run.trained().entrySet()) {
      float[] before = Objects.requireNonNull(start.get(entry.getKey()));
      for (int i = 0; i < before.length; i++) {
        sum += Math.pow(entry.getValue()[i] - before[i], 2);
      }
    }
    assertThat(Math.sqrt(sum)).isCloseTo(0.01, within(1e-5));
    assertThat(run.log.getFirst().gradNorm()).isGreaterThan(0.1);
  }

  @Test
  void smoothsLabels() {
    Runs plain = run("a");
    plain.steps = 1;
    plain.run();
    Runs smoothed = run("b");
    smoothed.steps = 1;
    smoothed.smoothing = 0.1;
    smoothed.run();
    assertThat(smoothed.losses().getFirst()).isNotEqualTo(plain.losses().getFirst());
  }

  @Test
  void writesWhatTheTrainerAndPeftRead() throws Exception {
    Runs run = run("a");
    run.run();
    JsonNode state =
        JsonMapper.shared().readTree(Files.readString(folder.resolve("a/trainer_state.json")));
    assertThat(state.get("global_step").intValue()).isEqualTo(6);
    assertThat(state.get("log_history")).hasSize(7);
    assertThat(state.get("log_history").get(0).propertyNames())
        .containsExactly("epoch", "grad_norm", "learning_rate", "loss", "step");
    assertThat(state.get("log_history").get(6).has("train_loss")).isTrue();
    JsonNode config =
        JsonMapper.shared().readTree(Files.readString(folder.resolve("a/adapter_config.json")));
    assertThat(config.get("r").intValue()).isEqualTo(4);
    assertThat(config.get("base_model_name_or_path").isNull()).isTrue();
    assertThat(config.get("inference_mode").booleanValue()).isTrue();
    assertThat(Files.readString(folder.resolve("a/README.md"))).contains("library_name: peft");
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert-ts-plain", "llama-dynamo-plain", "gpt2-ts-plain", "gpt2-ts-dora"})
  void recomputingChangesNothingButRoundings(String name) {
    Runs kept = new Runs(name, folder.resolve("kept"));
    kept.task = name.startsWith("bert") ? Task.SEQ_CLS : Task.CAUSAL_LM;
    kept.dropout = name.endsWith("dora") ? 0 : 0.1;
    kept.run();
    Runs recomputed = new Runs(name, folder.resolve("recomputed"));
    recomputed.task = kept.task;
    recomputed.dropout = kept.dropout;
    recomputed.activations = Activations.RECOMPUTED;
    recomputed.run();
    for (int i = 0; i < kept.losses().size(); i++) {
      assertThat(recomputed.losses().get(i)).isCloseTo(kept.losses().get(i), within(1e-6));
    }
    assertThat(Runs.difference(recomputed.trained(), kept.trained())).isLessThan(1e-5);
  }
}

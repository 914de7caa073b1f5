package dev.graft.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.RuntimeFailure;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TrainingSessionTest {

  private static final HostTensor X = floats(1, 2, 3);
  private static final Map<String, HostTensor> FEEDS = Map.of("x", X);

  @TempDir Path folder;

  private static HostTensor floats(float... values) {
    return HostTensor.ofFloats(Shape.of(values.length), values);
  }

  private static float[] output(Map<String, HostTensor> outputs, String name) {
    return Objects.requireNonNull(outputs.get(name)).toFloats();
  }

  private static TrainingSession open(TrainingArtifacts job) {
    return TrainingSession.of("tiny", job, TrainingSettings.defaults());
  }

  @Test
  void saysThatAFolderHoldsNoJob() {
    assertThatThrownBy(() -> TrainingSession.open(folder, TrainingSettings.defaults()))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("training_model.onnx: there is no such file");
  }

  @Test
  void refusesADamagedCheckpointInOneLine() {
    TrainingArtifacts job = TinyTraining.job(1, 1, 1);
    MemorySegment half = job.checkpoint().asSlice(0, job.checkpoint().byteSize() / 2).asReadOnly();
    TrainingArtifacts broken =
        new TrainingArtifacts(job.training(), job.eval(), Optional.empty(), half);
    assertThatThrownBy(() -> open(broken))
        .isInstanceOf(RuntimeFailure.class)
        .hasMessageStartingWith("tiny: ONNX Runtime cannot load the training graphs: ")
        .hasMessageNotContaining("\n");
  }

  @Test
  void refusesFeedsOfOtherNamesBeforeTheRuntimeSeesThem() {
    try (TrainingSession session = open(TinyTraining.job(1, 1, 1))) {
      assertThatThrownBy(() -> session.step(Map.of("y", X)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("its inputs are [x]; missing [x], beyond them [y]");
      assertThatThrownBy(() -> session.step(Map.of("x", floats(1, 2))))
          .isInstanceOf(RuntimeFailure.class)
          .hasMessageContaining("tiny: a training step failed");
      assertThat(session.step(FEEDS)).containsOnlyKeys("loss", "w.total");
    }
  }

  @Test
  void refusesAParameterOfAnotherShape() {
    try (TrainingSession session = open(TinyTraining.job(1, 1, 1))) {
      assertThatThrownBy(() -> session.setParameter("w", floats(1, 2)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("it is FLOAT32 [3], not FLOAT32 [2]");
      assertThatThrownBy(() -> session.parameter("v")).isInstanceOf(RuntimeFailure.class);
    }
  }

  @Test
  void cannotBeUsedOnceClosedButClosedTwice() {
    TrainingSession session = open(TinyTraining.job(1, 1, 1));
    session.close();
    session.close();
    assertThatThrownBy(() -> session.step(FEEDS)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void neverFallsBackFromACardThatIsNotThere() {
    TrainingSettings settings = TrainingSettings.defaults().on(Device.parse("cuda:99"));
    assertThatThrownBy(() -> TrainingSession.of("tiny", TinyTraining.job(1, 1, 1), settings))
        .isInstanceOf(RuntimeFailure.class)
        .hasMessageContaining("cuda:99");
  }

  @Test
  void computesLossAndGradients() {
    try (TrainingSession session = open(TinyTraining.job(1, -2, 0.5f))) {
      assertThat(session.inputs()).containsExactly("x");
      assertThat(session.outputs()).containsExactly("loss", "w.total");
      Map<String, HostTensor> outputs = session.step(FEEDS);
      assertThat(output(outputs, "loss")).containsExactly(1 + 16 + 2.25f);
      assertThat(output(outputs, "w.total")).containsExactly(2, -16, 9);
      assertThat(output(session.evaluate(FEEDS), "loss")).containsExactly(1 + 16 + 2.25f);
    }
  }

  @Test
  void addsGradientsUpUntilTheyAreReset() {
    try (TrainingSession session = open(TinyTraining.job(1, -2, 0.5f))) {
      session.step(FEEDS);
      assertThat(output(session.step(FEEDS), "w.total")).containsExactly(4, -32, 18);
      session.resetGradients();
      assertThat(output(session.step(FEEDS), "w.total")).containsExactly(2, -16, 9);
    }
  }

  @Test
  void takesParametersAndGivesThemBack() {
    try (TrainingSession session = open(TinyTraining.job(1, 1, 1))) {
      session.setParameter("w", floats(3, 0, 0));
      assertThat(session.parameter("w").toFloats()).containsExactly(3, 0, 0);
      assertThat(output(session.step(FEEDS), "loss")).containsExactly(9);
    }
  }

  @Test
  void readsFrozenWeightsFromTheFolderThatItIsTold() throws IOException {
    Files.write(folder.resolve("f.bin"), TinyTraining.bytes(floats(2, 0, 0)));
    TrainingArtifacts job = TinyTraining.job("f.bin", 1, 1, 1);
    assertThatThrownBy(() -> open(job)).isInstanceOf(RuntimeFailure.class);
    TrainingSettings settings = TrainingSettings.defaults().withWeightsIn(folder);
    try (TrainingSession session = TrainingSession.of("tiny", job, settings)) {
      assertThat(output(session.step(FEEDS), "loss")).containsExactly(4);
    }
  }

  @Test
  void opensFilesAndWritesACheckpointThatItReadsAgain() throws IOException {
    TrainingArtifacts job = TinyTraining.job(1, 1, 1);
    write(TrainingArtifacts.TRAINING, job.training());
    write(TrainingArtifacts.EVAL, job.eval().orElseThrow());
    write(TrainingArtifacts.CHECKPOINT, job.checkpoint());
    try (TrainingSession session = TrainingSession.open(folder, TrainingSettings.defaults())) {
      session.setParameter("w", floats(0, 0, 2));
      session.saveCheckpoint(folder.resolve("checkpoint"));
    }
    try (TrainingSession session = TrainingSession.open(folder, TrainingSettings.defaults())) {
      assertThat(session.parameter("w").toFloats()).containsExactly(0, 0, 2);
    }
  }

  private void write(String name, MemorySegment bytes) throws IOException {
    Files.write(folder.resolve(name), bytes.toArray(ValueLayout.JAVA_BYTE));
  }
}

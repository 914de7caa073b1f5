package dev.graft.runtime;

import dev.graft.error.FormatException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.onnxruntime.OrtCheckpointState;
import org.bytedeco.onnxruntime.OrtTrainingApi;
import org.bytedeco.onnxruntime.OrtTrainingSession;

/**
 * The native halves of a training session.
 *
 * @param training the functions that made them
 * @param name how messages call the job
 * @param state parameters and the optimizer's state
 * @param session the graphs; it points into the state
 */
record TrainingParts(
    OrtTraining training, String name, OrtCheckpointState state, OrtTrainingSession session) {

  private static TrainingParts named(String name) {
    return new TrainingParts(
        OrtTraining.get(), name, new OrtCheckpointState(), new OrtTrainingSession());
  }

  /** Loads graphs in memory; whatever was made goes if that fails. */
  static TrainingParts load(String name, TrainingArtifacts artifacts, TrainingSettings settings) {
    TrainingParts parts = named(name);
    return parts.filledBy(() -> fill(parts, artifacts, settings));
  }

  /** Loads the files of a folder; whatever was made goes if that fails. */
  static TrainingParts load(Path folder, TrainingSettings settings) {
    Stream.of(TrainingArtifacts.TRAINING, TrainingArtifacts.CHECKPOINT)
        .map(folder::resolve)
        .filter(file -> !Files.isRegularFile(file))
        .findFirst()
        .ifPresent(file -> {
          throw new FormatException(file + ": there is no such file of a training job");
        });
    TrainingParts parts = named(folder.toString());
    return parts.filledBy(() -> fill(parts, folder, settings));
  }

  private TrainingParts filledBy(Runnable load) {
    try {
      load.run();
      return this;
    } catch (RuntimeException | Error e) {
      release();
      throw e;
    }
  }

  private static void fill(
      TrainingParts parts, TrainingArtifacts artifacts, TrainingSettings settings) {
    OrtLibrary ort = parts.training.ort();
    String context = parts.name + ": ONNX Runtime cannot load the training graphs";
    try (PointerScope _ = new PointerScope();
        OrtOptions options = new OrtOptions(ort, settings, context)) {
      BytePointer checkpoint = buffer(artifacts.checkpoint());
      OrtTrainingApi api = parts.training.api();
      ort.check(
          api.LoadCheckpointFromBuffer(checkpoint, checkpoint.capacity(), parts.state), context);
      BytePointer training = buffer(artifacts.training());
      BytePointer eval = buffer(artifacts.eval().orElse(MemorySegment.NULL));
      BytePointer optimizer = buffer(artifacts.optimizer().orElse(MemorySegment.NULL));
      ort.check(
          api.CreateTrainingSessionFromBuffer(
              ort.env(),
              options.pointer(),
              parts.state,
              training,
              training.capacity(),
              eval,
              eval.capacity(),
              optimizer,
              optimizer.capacity(),
              parts.session),
          context);
    }
  }

  /** A native copy, a null pointer of nothing. */
  private static BytePointer buffer(MemorySegment bytes) {
    return bytes.byteSize() == 0
        ? new BytePointer()
        : new BytePointer(bytes.toArray(ValueLayout.JAVA_BYTE));
  }

  private static void fill(TrainingParts parts, Path folder, TrainingSettings settings) {
    OrtLibrary ort = parts.training.ort();
    String context = parts.name + ": ONNX Runtime cannot load the training job";
    try (PointerScope _ = new PointerScope();
        OrtOptions options = new OrtOptions(ort, settings, context)) {
      OrtTrainingApi api = parts.training.api();
      ort.check(
          api.LoadCheckpoint(file(folder, TrainingArtifacts.CHECKPOINT), parts.state), context);
      ort.check(
          api.CreateTrainingSession(
              ort.env(),
              options.pointer(),
              parts.state,
              file(folder, TrainingArtifacts.TRAINING),
              file(folder, TrainingArtifacts.EVAL),
              file(folder, TrainingArtifacts.OPTIMIZER),
              parts.session),
          context);
    }
  }

  private static Pointer file(Path folder, String name) {
    Path file = folder.resolve(name);
    return Files.exists(file) ? OrtLibrary.path(file.toString()) : new Pointer();
  }

  /** Frees everything; the session points into the state, so it goes first. */
  void release() {
    if (!session.isNull()) {
      training.api().ReleaseTrainingSession(session);
    }
    if (!state.isNull()) {
      training.api().ReleaseCheckpointState(state);
    }
  }
}

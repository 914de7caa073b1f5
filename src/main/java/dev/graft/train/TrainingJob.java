package dev.graft.train;

import dev.graft.error.FormatException;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.runtime.TrainingArtifacts;
import dev.graft.runtime.TrainingSession;
import dev.graft.runtime.TrainingSettings;
import dev.graft.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A model that can be trained, and the rows that it is trained on.
 *
 * @param model base, adapter and loss
 * @param rows the data
 * @param labels makes what the logits are held against
 */
record TrainingJob(TrainableModel model, Dataset rows, Labels labels) {

  /**
   * Rewrites of ONNX Runtime that would keep frozen half-precision weights a second time, in
   * float32; the last of them crashes where constants are not folded.
   */
  private static final List<String> COPYING =
      List.of(
          "ConstantFolding",
          "CommonSubexpressionElimination",
          "FuseFp16InitializerToFp32NodeTransformer");

  /**
   * Reads everything and thinks the run through; nothing is computed or written.
   *
   * @throws dev.graft.error.GraftException if it cannot be done
   */
  static TrainingJob of(TrainingOptions options) {
    TrainingOptions.Sources sources = options.sources();
    TrainingOptions.Loss wanted = options.loss();
    Dataset rows = Dataset.read(sources.rows(), wanted.task());
    Row first = rows.rows().getFirst();
    TrainableModel model =
        TrainableModel.of(
            new TrainableModel.Files(sources.model(), sources.adapter(), sources.names()),
            new TrainableModel.Wanted(
                wanted,
                classes -> Labels.kind(wanted, classes, Labels.problem(first)),
                options.update().dropout()::orElse));
    Labels labels =
        new Labels(wanted.task(), model.loss().kind(), model.loss().classes(), rows.file());
    requireLabels(rows, labels);
    Vocabulary.of(model.loss().model()).require(rows);
    return new TrainingJob(model, rows, labels);
  }

  private static void requireLabels(Dataset rows, Labels labels) {
    long all = 0;
    for (Row row : rows.rows()) {
      all += labels.count(row);
    }
    if (all == 0) {
      throw new FormatException(
          rows.file()
              + ": no row has a label that counts; all of them are -100 or stand at the front");
    }
  }

  List<Trained> trained() {
    return model.trained();
  }

  LossGraph loss() {
    return model.loss();
  }

  Dropout dropout() {
    return model.dropout();
  }

  List<Parameter> parameters() {
    return model.parameters();
  }

  /** What the user should know before the first step. */
  List<String> warnings() {
    List<String> warnings = new ArrayList<>(model.warnings());
    if (!rows.ignored().isEmpty()) {
      warnings.add(
          rows.file() + ": fields that are not used: " + String.join(", ", rows.ignored()));
    }
    return warnings;
  }

  /** The inputs that rows give, those of the loss and the masks left out. */
  List<ValueInfoProto> modelInputs() {
    List<String> ofLoss = loss().lossInputs();
    return loss().inputs().stream()
        .filter(input -> !ofLoss.contains(input.getName()) && !dropout().isMask(input.getName()))
        .toList();
  }

  /** Loads a training graph of the job into ONNX Runtime. */
  TrainingSession open(TrainingGraph graph, TrainingOptions.Machine machine) {
    TrainingArtifacts artifacts =
        new TrainingArtifacts(
            MemorySegment.ofArray(graph.model().toByteArray()),
            Optional.empty(),
            Optional.empty(),
            model.checkpoint());
    TrainingSettings settings =
        TrainingSettings.defaults()
            .on(machine.device())
            .withIntraOpThreads(machine.threads())
            .withWeightsIn(model.folder())
            .without(hasHalfWeights(graph.model()) ? COPYING : List.of());
    return TrainingSession.of("training", artifacts, settings);
  }

  private static boolean hasHalfWeights(ModelProto model) {
    return model.getGraph().getInitializerList().stream()
        .mapToInt(TensorProto::getDataType)
        .anyMatch(t -> t == DType.FLOAT16.onnxCode() || t == DType.BFLOAT16.onnxCode());
  }
}

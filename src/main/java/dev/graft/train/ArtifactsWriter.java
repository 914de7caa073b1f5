package dev.graft.train;

import dev.graft.error.UnsupportedException;
import dev.graft.io.AtomicOutput;
import dev.graft.io.InputFile;
import dev.graft.io.OutputFile;
import dev.graft.io.OutputGuard;
import dev.graft.io.Progress;
import dev.graft.io.RangeCopier;
import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.runtime.TrainingArtifacts;
import dev.graft.train.TrainingOptions.Problem;
import dev.graft.train.TrainingOptions.Rule;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Writes ONNX Runtime Training's four files for people who train from another language: the graphs
 * for training, evaluation and the optimizer's step, and the checkpoint with what is trained.
 */
public final class ArtifactsWriter {

  private final ArtifactsOptions options;

  private ArtifactsWriter(ArtifactsOptions options) {
    this.options = options;
  }

  /**
   * What was written.
   *
   * @param files all files, the four first
   * @param copiedBytes how many bytes of frozen weights had to be copied
   * @param trainableParameters values that are trained
   * @param inputs what a training step must be fed, in order
   * @param nodes nodes of the training graph
   * @param warnings what the user should know
   */
  public record Written(
      List<Path> files,
      long copiedBytes,
      long trainableParameters,
      List<String> inputs,
      int nodes,
      List<String> warnings) {}

  /**
   * Writes the files, all or none.
   *
   * @throws dev.graft.error.GraftException if it cannot be done
   */
  public static Written write(ArtifactsOptions options) {
    return new ArtifactsWriter(options).write();
  }

  private Written write() {
    TrainableModel model =
        TrainableModel.of(
            new TrainableModel.Files(options.model(), options.adapter(), options.names()),
            new TrainableModel.Wanted(
                options.loss(),
                classes ->
                    Labels.kind(options.loss(), classes, Problem.SINGLE_LABEL_CLASSIFICATION),
                own -> 0));
    TrainingGraph training =
        TrainingGraph.of(
            model.loss(),
            model.parameters(),
            new TrainingGraph.Form(TrainingGraph.Totals.KEPT, options.activations()));
    ModelProto eval = TrainingGraph.eval(model.loss(), model.parameters());
    Path folder = options.folder().toAbsolutePath().normalize();
    List<Path> inputs = model.files();
    FrozenPlaces places = FrozenPlaces.of(model.base(), training.model(), folder);
    SequencedMap<String, byte[]> files = new LinkedHashMap<>();
    files.put(TrainingArtifacts.TRAINING, places.in(training.model()).toByteArray());
    files.put(TrainingArtifacts.EVAL, places.in(eval).toByteArray());
    files.put(TrainingArtifacts.OPTIMIZER, optimizer().toByteArray());
    files.put(TrainingArtifacts.CHECKPOINT, model.checkpoint().toArray(ValueLayout.JAVA_BYTE));
    files.keySet().forEach(name -> OutputGuard.check(inputs, folder.resolve(name)));
    places.copies().values().forEach(name -> OutputGuard.check(inputs, folder.resolve(name)));
    List<Path> written = new ArrayList<>();
    long copied = write(folder, files, places.copies(), written);
    List<String> fed =
        model.loss().inputs().stream()
            .map(input -> input.getName())
            .filter(name -> model.parameters().stream().noneMatch(p -> p.name().equals(name)))
            .toList();
    return new Written(
        List.copyOf(written),
        copied,
        model.values(),
        fed,
        training.model().getGraph().getNodeCount(),
        warnings(model));
  }

  private List<String> warnings(TrainableModel model) {
    List<String> warnings = new ArrayList<>(model.warnings());
    if (AdapterFolder.dropout(model.adapter().config()) > 0) {
      warnings.add("the adapter has dropout, which the files do not");
    }
    return warnings;
  }

  private static long write(
      Path folder, Map<String, byte[]> files, Map<Path, String> copies, List<Path> written) {
    long copied = 0;
    Path first = folder.resolve(files.keySet().iterator().next());
    try (AtomicOutput output = AtomicOutput.begin(first)) {
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        Path path = folder.resolve(file.getKey());
        OutputFile out = path.equals(first) ? output.main() : output.addMain(path);
        out.write(MemorySegment.ofArray(file.getValue()), 0);
        written.add(path);
      }
      for (Map.Entry<Path, String> copy : copies.entrySet()) {
        Path path = folder.resolve(copy.getValue());
        try (InputFile from = InputFile.open(copy.getKey());
            RangeCopier copier = new RangeCopier(from, output.addMain(path), Progress.NONE)) {
          copied += copier.copyAll();
        }
        written.add(path);
      }
      output.commit();
    }
    return copied;
  }

  private ModelProto optimizer() {
    return switch (options.optimizer()) {
      case Rule.AdamW(double beta1, double beta2, double epsilon) ->
          withAttributes(
              Template.read("adamw").model(),
              Map.of(
                  "alpha", beta1,
                  "beta", beta2,
                  "epsilon", epsilon,
                  "weight_decay", options.weightDecay()));
      case Rule.Sgd(double momentum) -> {
        if (momentum != 0 || options.weightDecay() != 0) {
          throw new UnsupportedException(
              "ONNX Runtime's SGD has neither momentum nor weight decay; set both to 0, or train with 'graft train', which has them");
        }
        yield Template.read("sgd").model();
      }
    };
  }

  private static ModelProto withAttributes(ModelProto model, Map<String, Double> values) {
    GraphProto.Builder graph = model.getGraph().toBuilder();
    NodeProto.Builder node = graph.getNodeBuilder(0);
    for (int i = 0; i < node.getAttributeCount(); i++) {
      AttributeProto attribute = node.getAttribute(i);
      Double value = values.get(attribute.getName());
      if (value != null) {
        node.setAttribute(i, Attributes.of(attribute.getName(), value.floatValue()));
      }
    }
    return model.toBuilder().setGraph(graph).build();
  }
}

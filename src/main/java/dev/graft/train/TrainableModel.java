package dev.graft.train;

import dev.graft.adapter.AdapterTarget;
import dev.graft.adapter.BaseCopy;
import dev.graft.adapter.PeftAdapter;
import dev.graft.error.UnsupportedException;
import dev.graft.inject.AdapterName;
import dev.graft.inject.Injection;
import dev.graft.match.Binder;
import dev.graft.onnx.OnnxModel;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.ParameterCheckpoint;
import dev.graft.safetensors.SafetensorsTensor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongFunction;

/**
 * A base and an adapter, joined to a graph with a loss.
 *
 * @param base where the weights are
 * @param adapter where the training starts
 * @param trained what is trained
 * @param loss the forward graph
 * @param dropout of the branches' inputs
 * @param warnings what the user should know
 */
record TrainableModel(
    OnnxModel base,
    PeftAdapter adapter,
    List<Trained> trained,
    LossGraph loss,
    Dropout dropout,
    List<String> warnings) {

  /**
   * What is joined.
   *
   * @param model the base
   * @param adapter the adapter
   * @param names how their names are joined
   */
  record Files(Path model, Path adapter, Binder.Options names) {}

  /**
   * What the model should learn.
   *
   * @param loss the loss, as the user wants it
   * @param kind decides on the kind of loss by the number of the model's classes
   * @param dropout the part of the branches' inputs that is dropped, decided on by the adapter's
   *     own
   */
  record Wanted(
      TrainingOptions.Loss loss, LongFunction<LossKind> kind, DoubleUnaryOperator dropout) {}

  /**
   * Joins them.
   *
   * @throws dev.graft.error.GraftException if it cannot be done
   */
  static TrainableModel of(Files files, Wanted wanted) {
    PeftAdapter adapter = PeftAdapter.open(files.adapter());
    adapter.requireFinite();
    OnnxModel base = OnnxModel.open(files.model());
    Injection injection = Injection.of(base, adapter, files.names(), AdapterName.DEFAULT);
    AdaptedModel adapted = AdaptedModel.of(injection);
    requireAll(adapter, adapted.trained());
    double probability = wanted.dropout().applyAsDouble(AdapterFolder.dropout(adapter.config()));
    Dropout dropout = new Dropout(probability, adapted.trained());
    LossKind kind = wanted.kind().apply(LossGraph.classes(adapted.model()));
    LossGraph loss =
        LossGraph.of(
            dropout.in(adapted.model()),
            new LossGraph.Wanted(wanted.loss().task(), kind, wanted.loss().smoothing()));
    List<String> warnings = new ArrayList<>(adapter.warnings());
    warnings.addAll(injection.binding().warnings());
    return new TrainableModel(
        base, adapter, adapted.trained(), loss, dropout, List.copyOf(warnings));
  }

  /** Training something else than the whole adapter would not be noticed in the loss. */
  private static void requireAll(PeftAdapter adapter, List<Trained> trained) {
    Set<String> names = new HashSet<>();
    trained.forEach(t -> names.add(t.source().name()));
    for (AdapterTarget target : adapter.targets()) {
      for (SafetensorsTensor tensor : target.tensors()) {
        if (!(target instanceof BaseCopy) && !names.contains(tensor.name())) {
          throw new UnsupportedException(
              "%s: tensor '%s' has no place in the graph where it could be trained"
                  .formatted(adapter.path(), tensor.name()));
        }
      }
    }
  }

  /** All files that were read. */
  List<Path> files() {
    List<Path> files = new ArrayList<>(adapter.files());
    files.add(base.path());
    files.addAll(base.dataFiles().values());
    return files;
  }

  /** How many values are trained. */
  long values() {
    return parameters().stream().mapToLong(parameter -> parameter.values().length).sum();
  }

  List<Parameter> parameters() {
    return trained.stream().map(Trained::parameter).toList();
  }

  /** The parameters as they are, in ONNX Runtime Training's format. */
  MemorySegment checkpoint() {
    Map<String, HostTensor> start = new LinkedHashMap<>();
    parameters().forEach(p -> start.put(p.name(), HostTensor.ofFloats(p.shape(), p.values())));
    return ParameterCheckpoint.bytes(start);
  }

  /** The folder that the base's weights are found from. */
  Path folder() {
    return Optional.ofNullable(base.path().toAbsolutePath().normalize().getParent()).orElseThrow();
  }
}

package dev.graft.runtime;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How a training session runs.
 *
 * @param session threads, rewrites at load and log
 * @param device where it computes; never anywhere else
 * @param weights the folder that external data of graphs in memory is found from
 * @param disabledRewrites ONNX Runtime's names of rewrites at load that are left out, such as
 *     {@code ConstantFolding}
 */
public record TrainingSettings(
    SessionSettings session, Device device, Optional<Path> weights, List<String> disabledRewrites) {

  /** Copies the list. */
  public TrainingSettings {
    disabledRewrites = List.copyOf(disabledRewrites);
  }

  /** On the CPU, every rewrite, data beside the graphs' files. */
  public static TrainingSettings defaults() {
    return new TrainingSettings(
        SessionSettings.defaults(), Device.CPU, Optional.empty(), List.of());
  }

  /** The same on another device. */
  public TrainingSettings on(Device other) {
    return new TrainingSettings(session, other, weights, disabledRewrites);
  }

  /** The same with external data in a folder. */
  public TrainingSettings withWeightsIn(Path folder) {
    return new TrainingSettings(session, device, Optional.of(folder), disabledRewrites);
  }

  /** The same with another number of threads, 0 for ONNX Runtime's own choice. */
  public TrainingSettings withIntraOpThreads(int threads) {
    return new TrainingSettings(
        session.withIntraOpThreads(threads), device, weights, disabledRewrites);
  }

  /** The same without some rewrites. */
  public TrainingSettings without(List<String> rewrites) {
    return new TrainingSettings(session, device, weights, rewrites);
  }
}

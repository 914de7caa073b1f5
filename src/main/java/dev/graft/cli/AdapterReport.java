package dev.graft.cli;

import dev.graft.adapter.AdapterConfig;
import dev.graft.adapter.AdapterTarget;
import dev.graft.adapter.LoraPair;
import dev.graft.adapter.PeftAdapter;
import dev.graft.safetensors.SafetensorsTensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What an adapter holds.
 *
 * @param path where it lies
 * @param name its folder's name
 * @param sha256 of its files, as provenance records it, where that was asked for
 * @param config what its configuration says
 * @param modules how many modules it changes
 * @param tensors how many tensors it stores
 * @param parameters how many values were trained
 * @param dtypes the element types of its tensors
 * @param scales the factors on B·A, every one that occurs
 * @param findings what to know about it
 */
record AdapterReport(
    String path,
    String name,
    Optional<String> sha256,
    Config config,
    long modules,
    long tensors,
    long parameters,
    List<String> dtypes,
    List<Double> scales,
    Findings findings) {

  /**
   * The configuration.
   *
   * @param peftType the kind of adapter
   * @param r the default rank
   * @param loraAlpha the default alpha
   * @param targetModules what was adapted
   * @param modulesToSave what was trained whole
   * @param baseModel what it was trained on
   * @param taskType what it was trained for
   * @param peftVersion what wrote it
   * @param set every field that is set, as JSON text
   */
  record Config(
      String peftType,
      int r,
      double loraAlpha,
      List<String> targetModules,
      List<String> modulesToSave,
      Optional<String> baseModel,
      Optional<String> taskType,
      Optional<String> peftVersion,
      Map<String, String> set) {
    static Config of(AdapterConfig config) {
      return new Config(
          "LORA",
          config.r(),
          config.loraAlpha(),
          config.targetModules(),
          config.modulesToSave(),
          config.baseModelNameOrPath(),
          config.taskType(),
          config.peftVersion(),
          config.knownFields());
    }
  }

  /**
   * What to know.
   *
   * @param warnings worth a word
   * @param unknownFields fields of the configuration that PEFT does not have
   * @param refusals why it cannot be folded
   */
  record Findings(List<String> warnings, List<String> unknownFields, List<String> refusals) {}

  static AdapterReport of(PeftAdapter adapter) {
    return of(adapter, Optional.empty());
  }

  /** A report with the hash, for which every byte is read. */
  static AdapterReport hashed(PeftAdapter adapter) {
    return of(adapter, Optional.of(adapter.sha256()));
  }

  private static AdapterReport of(PeftAdapter adapter, Optional<String> sha256) {
    return new AdapterReport(
        adapter.path().toString(),
        adapter.name(),
        sha256,
        Config.of(adapter.config()),
        adapter.targets().stream().map(AdapterTarget::target).distinct().count(),
        tensors(adapter).count(),
        adapter.parameterCount(),
        tensors(adapter).map(t -> t.dtype().name()).distinct().sorted().toList(),
        scales(adapter),
        new Findings(adapter.warnings(), adapter.config().unknownFields(), adapter.refusals()));
  }

  private static Stream<SafetensorsTensor> tensors(PeftAdapter adapter) {
    return adapter.targets().stream().flatMap(t -> t.tensors().stream());
  }

  private static List<Double> scales(PeftAdapter adapter) {
    return adapter.targets().stream()
        .filter(LoraPair.class::isInstance)
        .map(t -> ((LoraPair) t).scale())
        .distinct()
        .sorted()
        .toList();
  }
}

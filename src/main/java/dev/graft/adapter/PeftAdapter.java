package dev.graft.adapter;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.io.InputFile;
import dev.graft.io.Progress;
import dev.graft.io.Sha256;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsFile;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.safetensors.ShardedSafetensors;
import dev.graft.safetensors.StrictJson;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.OptionalLong;

/**
 * A LoRA adapter as PEFT saves it. Opening it reads the configuration and the tensors' places, not
 * their data; every tensor has been understood, or opening fails.
 */
public final class PeftAdapter {

  private final AdapterFiles files;
  private final List<Path> weights;
  private final AdapterConfig config;
  private final List<AdapterTarget> targets;
  private final Findings findings;

  private record Weights(List<Path> files, Collection<SafetensorsTensor> tensors) {
    static Weights open(AdapterFiles files) {
      if (files.isSharded()) {
        ShardedSafetensors sharded = ShardedSafetensors.open(files.weights());
        List<Path> shards = sharded.files().stream().map(SafetensorsFile::path).toList();
        return new Weights(shards, sharded.tensors().values());
      }
      SafetensorsFile file = SafetensorsFile.open(files.weights());
      return new Weights(List.of(file.path()), file.tensors().values());
    }
  }

  private PeftAdapter(AdapterFiles files, AdapterConfig config, Weights weights) {
    this.files = files;
    this.weights = weights.files();
    this.config = config;
    this.findings = ConfigFindings.of(config);
    this.targets = TargetAssembler.assemble(files.weights(), weights.tensors(), config, findings);
  }

  /**
   * Opens an adapter.
   *
   * @param path a folder as {@code save_pretrained} writes it, a Trainer's {@code checkpoint-N}, a
   *     folder with one such folder in it, or the safetensors file (or index) with its
   *     configuration beside it
   * @throws FormatException if a file is missing or damaged, or a tensor cannot be understood
   * @throws UnsupportedException if the weights are a pickle, or the adapter is no LoRA
   */
  public static PeftAdapter open(Path path) {
    AdapterFiles files = AdapterFiles.find(path);
    // The kind of adapter decides which tensors make sense, so its configuration speaks first.
    AdapterConfig config = AdapterConfig.read(files.config());
    PeftAdapter adapter = new PeftAdapter(files, config, Weights.open(files));
    if (Files.isDirectory(path) && !files.folder().equals(path)) {
      adapter.findings.warn(
          path + " holds no adapter itself; the only one in it is taken: " + files.folder());
    }
    return adapter;
  }

  /** The name of the adapter's folder, never a path. */
  public String name() {
    Path folder = files.folder().toAbsolutePath().normalize().getFileName();
    return folder == null ? "adapter" : folder.toString();
  }

  /** The folder that holds the adapter. */
  public Path path() {
    return files.folder();
  }

  /** Every file that was read: the configuration, the index if there is one, the weights. */
  public List<Path> files() {
    List<Path> all = new ArrayList<>(List.of(files.config()));
    if (files.isSharded()) {
      all.add(files.weights());
    }
    all.addAll(weights);
    return List.copyOf(all);
  }

  /** The configuration. */
  public AdapterConfig config() {
    return config;
  }

  /** What the adapter does, LoRA pairs first, each kind in the order of the file. */
  public List<AdapterTarget> targets() {
    return targets;
  }

  /** What the user should know but need not act on. */
  public List<String> warnings() {
    return findings.warnings();
  }

  /**
   * Why the adapter cannot be folded onto the plain base model, each reason with a way out; empty
   * if it can.
   */
  public List<String> refusals() {
    return findings.refusals();
  }

  /**
   * Returns if there are no {@link #refusals}.
   *
   * @throws UnsupportedException with all of them otherwise
   */
  public void requireFoldable() {
    if (findings.isRefused()) {
      throw new UnsupportedException(
          files.folder()
              + ": the adapter cannot be folded onto the plain base model:"
              + Findings.lines(refusals()));
    }
  }

  /**
   * Reads all tensors that change something and returns if every value is finite.
   *
   * @throws FormatException naming each tensor that holds a NaN or infinity and where the first one
   *     is
   * @throws UnsupportedException if a tensor is not of a float type that Graft folds
   */
  public void requireFinite() {
    List<String> problems = new ArrayList<>();
    for (AdapterTarget target : targets) {
      if (!(target instanceof BaseCopy)) {
        target.tensors().forEach(tensor -> checkFinite(tensor, problems));
      }
    }
    if (!problems.isEmpty()) {
      throw new FormatException(
          files.weights()
              + ": values that are not finite; the training diverged:"
              + Findings.lines(problems));
    }
  }

  private static void checkFinite(SafetensorsTensor tensor, List<String> problems) {
    OptionalLong index = SafetensorsData.firstNonFinite(tensor);
    if (index.isPresent()) {
      problems.add(
          "tensor "
              + StrictJson.excerpt(tensor.name())
              + " "
              + tensor.shape()
              + " holds NaN or infinity, first at element "
              + index.getAsLong());
    }
  }

  /** The number of trained values; copies of the base model do not count. */
  public long parameterCount() {
    return targets.stream()
        .filter(target -> !(target instanceof BaseCopy))
        .flatMap(target -> target.tensors().stream())
        .mapToLong(tensor -> tensor.shape().elements())
        .sum();
  }

  /**
   * The SHA-256 of the adapter: of the bytes of its safetensors file (the shards in the order of
   * their names) followed by those of {@code adapter_config.json}, in lower-case hexadecimal. It is
   * what {@code cat adapter_model.safetensors adapter_config.json | sha256sum} prints. Every call
   * reads the files.
   */
  public String sha256() {
    Sha256 hash = new Sha256();
    weights.forEach(file -> update(hash, file));
    update(hash, files.config());
    return hash.hex();
  }

  private static void update(Sha256 hash, Path path) {
    try (InputFile file = InputFile.open(path)) {
      hash.update(file, 0, file.size(), Progress.NONE);
    }
  }

  /** The tensors of all targets. */
  public List<SafetensorsTensor> tensors() {
    return targets.stream().flatMap(target -> target.tensors().stream()).toList();
  }
}

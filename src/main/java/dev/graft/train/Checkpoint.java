package dev.graft.train;

import dev.graft.error.FormatException;
import dev.graft.error.RuntimeFailure;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsFile;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.safetensors.SafetensorsWriter;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The folder {@code checkpoint-N}: the adapter as it is after N steps, and what a run needs to go
 * on as if it had never stopped.
 */
final class Checkpoint {

  private static final String OPTIMIZER = "optimizer.safetensors";
  private static final String RUN = "graft_run.json";
  private static final Pattern CHECKPOINT = Pattern.compile("checkpoint-\\d+");
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private final TrainingJob job;
  private final Optimizer optimizer;
  private final Map<String, String> settings;

  /**
   * Prepares to save and load.
   *
   * @param settings what must be the same where a run goes on, by the options' names
   */
  Checkpoint(TrainingJob job, Optimizer optimizer, Map<String, String> settings) {
    this.job = job;
    this.optimizer = optimizer;
    this.settings = settings;
  }

  /**
   * What a run is, beside its tensors.
   *
   * @param settings what must be the same where it goes on
   * @param state how far it is
   */
  record Run(Map<String, String> settings, RunState.Saved state) {
    /** Refuses a file without one of them. */
    Run {
      Objects.requireNonNull(settings, "settings");
      Objects.requireNonNull(state, "state");
    }
  }

  /** The files of all checkpoints that a folder has. */
  static List<Path> filesBelow(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> below = Files.walk(folder, 2)) {
      return below
          .filter(path -> CHECKPOINT.matcher(name(path.getParent())).matches())
          .filter(Files::isRegularFile)
          .toList();
    } catch (IOException | UncheckedIOException e) {
      throw new RuntimeFailure(folder + ": cannot be examined: " + e.getMessage(), e);
    }
  }

  private static String name(@Nullable Path folder) {
    return folder == null ? "" : String.valueOf(folder.getFileName());
  }

  /**
   * Saves into a folder that appears whole or not at all. One of the same name is put aside, under
   * the name {@code .checkpoint-N.replaced}, and removed when the new one stands.
   *
   * @param adapter writes PEFT's files into a folder
   */
  Path save(Path folder, RunState state, FilesWriter adapter) {
    Path partial = folder.resolveSibling("." + folder.getFileName() + ".partial");
    remove(partial);
    try {
      Files.createDirectories(partial);
      adapter.write(partial);
      optimizer().write(partial.resolve(OPTIMIZER));
      TextFile.writeJson(partial.resolve(RUN), new Run(settings, state.saved()));
      replace(folder, partial);
      return folder;
    } catch (IOException e) {
      throw new RuntimeFailure(folder + ": the checkpoint cannot be written: " + e.getMessage(), e);
    } finally {
      remove(partial);
    }
  }

  private static void replace(Path folder, Path partial) throws IOException {
    Path aside = folder.resolveSibling("." + folder.getFileName() + ".replaced");
    if (Files.exists(folder)) {
      remove(aside);
      Files.move(folder, aside);
    }
    try {
      Files.move(partial, folder);
    } catch (IOException e) {
      if (Files.exists(aside)) {
        Files.move(aside, folder);
      }
      throw e;
    }
    remove(aside);
  }

  /** Writes files into a folder. */
  interface FilesWriter {
    void write(Path folder);
  }

  private SafetensorsWriter optimizer() {
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    for (Trained tensor : job.trained()) {
      optimizer
          .state(tensor.parameter())
          .forEach((part, values) ->
              writer.add(key(tensor, part), tensor.source().shape(), tensor.asSaved(values)));
    }
    return writer;
  }

  private static String key(Trained tensor, String part) {
    return tensor.source().name() + "." + part;
  }

  /**
   * Loads parameters and the optimizer's state.
   *
   * @throws FormatException if the folder is no checkpoint of this run: other settings, other
   *     tensors, or not Graft's at all
   */
  RunState load(Path folder) {
    Run run = read(folder.resolve(RUN));
    requireSame(folder, run.settings());
    SafetensorsFile weights = SafetensorsFile.open(folder.resolve(AdapterFolder.WEIGHTS));
    SafetensorsFile moments = SafetensorsFile.open(folder.resolve(OPTIMIZER));
    for (Trained tensor : job.trained()) {
      copy(weights, tensor.source().name(), tensor, tensor.parameter().values());
      optimizer
          .state(tensor.parameter())
          .forEach((part, values) -> copy(moments, key(tensor, part), tensor, values));
    }
    return RunState.of(run.state());
  }

  private static void copy(SafetensorsFile file, String name, Trained tensor, float[] into) {
    SafetensorsTensor found =
        file.tensor(name)
            .orElseThrow(() ->
                new FormatException(
                    "%s: has no tensor '%s'; it is a checkpoint of another adapter"
                        .formatted(file.path(), name)));
    Shape expected = tensor.source().shape();
    if (!found.shape().equals(expected)) {
      throw new FormatException(
          "%s: tensor '%s' has the shape %s, but the adapter's is %s; it is a checkpoint of another adapter"
              .formatted(file.path(), name, found.shape(), expected));
    }
    float[] values = tensor.asInGraph(SafetensorsData.readFloats(found));
    System.arraycopy(values, 0, into, 0, into.length);
  }

  private void requireSame(Path folder, Map<String, String> saved) {
    List<String> differences = new ArrayList<>();
    new LinkedHashMap<>(settings)
        .forEach((name, value) -> {
          String was = saved.getOrDefault(name, "not there");
          if (!Objects.equals(was, value)) {
            differences.add("%s was %s and is %s".formatted(name, was, value));
          }
        });
    if (!differences.isEmpty()) {
      throw new FormatException(
          "%s: is a checkpoint of a run with other settings: %s"
              .formatted(folder, String.join("; ", differences)));
    }
  }

  private static Run read(Path file) {
    String damaged =
        file + ": is missing or damaged, so the folder is no checkpoint that Graft can go on from";
    try {
      String json = Files.readString(file, StandardCharsets.UTF_8);
      return Optional.ofNullable(MAPPER.readValue(json, Run.class))
          .orElseThrow(() -> new FormatException(damaged));
    } catch (IOException | JacksonException e) {
      throw new FormatException(damaged, e);
    }
  }

  private static void remove(Path folder) {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> below = Files.walk(folder)) {
      for (Path path : below.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new RuntimeFailure(folder + ": cannot be removed: " + e.getMessage(), e);
    }
  }
}

package dev.graft.onnx;

import dev.graft.io.OpenFile;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/** The data files of an output: those of the base under their new names, each with its changes. */
final class DataFiles {

  private final OnnxModel base;
  private final SequencedMap<Path, DataFilePatch> patches = new LinkedHashMap<>();
  private SequencedMap<Path, String> names = new LinkedHashMap<>();

  DataFiles(OnnxModel base) {
    this.base = base;
  }

  /**
   * Gives the files their names in the output.
   *
   * @param byLocation the new location for each of the base's that gets another one
   * @throws IllegalArgumentException if two files would get one name
   */
  void rename(Map<String, String> byLocation) {
    SequencedMap<Path, String> named = new LinkedHashMap<>();
    base.dataFiles()
        .forEach((location, file) ->
            named.putIfAbsent(file, byLocation.getOrDefault(location, location)));
    if (Set.copyOf(named.values()).size() < named.size()) {
      throw new IllegalArgumentException(
          base.path() + ": two data files would get one name: " + named);
    }
    names = named;
  }

  /** The changes of a file. */
  DataFilePatch patch(Path file) {
    return patches.computeIfAbsent(
        file,
        path -> {
          try (OpenFile data = base.openSource(path)) {
            return new DataFilePatch(path, data.size());
          }
        });
  }

  /** The name in the output. */
  String name(Path file) {
    return Optional.ofNullable(names.get(file)).orElseThrow();
  }

  /** The file that the base names first. */
  Optional<Path> first() {
    return names.sequencedKeySet().stream().findFirst();
  }

  /** Plans by name. */
  SequencedMap<String, FilePlan> plans() {
    SequencedMap<String, FilePlan> plans = new LinkedHashMap<>();
    names.forEach((file, name) -> plans.put(name, patch(file).plan()));
    return plans;
  }
}

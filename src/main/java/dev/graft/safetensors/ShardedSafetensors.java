package dev.graft.safetensors;

import dev.graft.error.FormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Several safetensors files that an index ({@code *.safetensors.index.json}) makes one. The index
 * and the shards must agree exactly: every tensor lies in the one file that the index names, and no
 * file holds another.
 */
public final class ShardedSafetensors {

  private static final long MAX_INDEX_BYTES = 64L << 20;
  private static final int MAX_SHARDS = 4096;
  private static final int MOST_SHOWN = 20;

  private final Path path;
  private final List<SafetensorsFile> files;
  private final SequencedMap<String, SafetensorsTensor> tensors;

  private ShardedSafetensors(
      Path path, List<SafetensorsFile> files, SequencedMap<String, SafetensorsTensor> tensors) {
    this.path = path;
    this.files = List.copyOf(files);
    this.tensors = Collections.unmodifiableSequencedMap(tensors);
  }

  /**
   * Reads the index and the header of every shard.
   *
   * @throws FormatException if the index is malformed, names a file outside its folder, or
   *     disagrees with a shard
   */
  public static ShardedSafetensors open(Path index) {
    SortedMap<String, List<String>> wanted = byFile(index, weightMap(index));
    List<SafetensorsFile> files = new ArrayList<>();
    SequencedMap<String, SafetensorsTensor> tensors = new LinkedHashMap<>();
    List<String> problems = new ArrayList<>();
    wanted.forEach((name, keys) -> {
      SafetensorsFile file = SafetensorsFile.open(index.resolveSibling(name));
      files.add(file);
      compare(file, keys, problems);
      tensors.putAll(file.tensors());
    });
    if (!problems.isEmpty()) {
      throw new FormatException(
          index
              + ": disagrees with its shards: "
              + String.join("; ", problems.subList(0, Math.min(MOST_SHOWN, problems.size())))
              + (problems.size() > MOST_SHOWN
                  ? "; and " + (problems.size() - MOST_SHOWN) + " more"
                  : ""));
    }
    return new ShardedSafetensors(index, files, tensors);
  }

  private static void compare(SafetensorsFile file, List<String> keys, List<String> problems) {
    for (String key : keys) {
      if (!file.tensors().containsKey(key)) {
        problems.add(
            "tensor " + StrictJson.excerpt(key) + " is not in " + file.path().getFileName());
      }
    }
    Set<String> named = new HashSet<>(keys);
    for (String key : file.tensors().keySet()) {
      if (!named.contains(key)) {
        problems.add(
            file.path().getFileName()
                + " holds tensor "
                + StrictJson.excerpt(key)
                + ", which the index does not place there");
      }
    }
  }

  private static Map<String, Json> weightMap(Path index) {
    if (StrictJson.read(index, MAX_INDEX_BYTES)
            instanceof Json.Obj(SequencedMap<String, Json> members)
        && members.get("weight_map") instanceof Json.Obj(SequencedMap<String, Json> map)) {
      return map;
    }
    throw new FormatException(
        index
            + ": expected an object with \"weight_map\", an object of tensor names to file names");
  }

  private static SortedMap<String, List<String>> byFile(Path index, Map<String, Json> weightMap) {
    SortedMap<String, List<String>> result = new TreeMap<>();
    weightMap.forEach((key, value) -> {
      if (!(value instanceof Json.Str(String file)) || !isPlainName(file)) {
        throw new FormatException(
            index
                + ": weight_map "
                + StrictJson.excerpt(key)
                + " must name a .safetensors file in the index's own folder, without any path; found "
                + value.describe());
      }
      result.computeIfAbsent(file, f -> new ArrayList<>()).add(key);
    });
    if (result.isEmpty() || result.size() > MAX_SHARDS) {
      throw new FormatException(
          index + ": weight_map names " + result.size() + " files, expected 1 to " + MAX_SHARDS);
    }
    return result;
  }

  private static boolean isPlainName(String file) {
    return file.endsWith(".safetensors")
        && !file.startsWith(".")
        && file.length() <= 255
        && file.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ');
  }

  /** The index as it was given to {@link #open}. */
  public Path path() {
    return path;
  }

  /** The shards, by name. */
  public List<SafetensorsFile> files() {
    return files;
  }

  /** All tensors: shard by shard, each in the order of its bytes. */
  public SequencedMap<String, SafetensorsTensor> tensors() {
    return tensors;
  }
}

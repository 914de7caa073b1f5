package dev.graft.onnx;

import dev.graft.error.FormatException;
import dev.graft.onnx.ModelFiles.DataFile;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.TensorSource;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/**
 * The data files of one model. Locations come from a stranger: each is resolved once, must stay
 * inside the model's folder and may not be a link.
 */
final class ExternalData {

  private static final Set<String> KEYS =
      Set.of("location", "offset", "length", "checksum", "basepath");

  /** As many digits as surely fit in a long. */
  private static final int MAX_DIGITS = 18;

  private final ModelFiles source;
  private final SequencedMap<String, DataFile> files = new LinkedHashMap<>();

  ExternalData(ModelFiles source) {
    this.source = source;
  }

  Path model() {
    return source.path();
  }

  /** Location as the model writes it, to the file; in order of first appearance. */
  SequencedMap<String, Path> files() {
    SequencedMap<String, Path> paths = new LinkedHashMap<>();
    files.forEach((location, file) -> paths.put(location, file.path()));
    return paths;
  }

  /**
   * Finds the bytes of an external tensor.
   *
   * @param label how messages name the tensor
   * @param proto the tensor
   * @param expected bytes that type and shape ask for, -1 where that is not known
   */
  TensorSource resolve(String label, TensorProto proto, long expected) {
    Map<String, String> entries = entries(label, proto);
    String location = entries.get("location");
    if (location == null) {
      throw broken(label, "is external but names no location; the file is damaged");
    }
    DataFile file =
        files.computeIfAbsent(location, l -> source.find(l, model() + ": tensor '" + label + "'"));
    long offset = number(label, entries, "offset").orElse(0L);
    long rest = Math.max(0, file.length() - offset);
    long length = number(label, entries, "length").orElse(expected >= 0 ? expected : rest);
    if (expected >= 0 && length != expected) {
      throw broken(
          label,
          "declares %d bytes of external data in '%s', but its shape and type need %d"
              .formatted(length, location, expected));
    }
    if (offset > file.length() || length > rest) {
      throw broken(
          label,
          "needs %d bytes at offset %d of '%s', which has %d bytes; the data file is truncated or belongs to another model"
              .formatted(length, offset, location, file.length()));
    }
    return new TensorSource(file.path(), offset, length);
  }

  private Map<String, String> entries(String label, TensorProto proto) {
    Map<String, String> entries = new HashMap<>();
    for (StringStringEntryProto entry : proto.getExternalDataList()) {
      if (!KEYS.contains(entry.getKey())) {
        throw broken(
            label,
            "has the unknown external-data key '%s'; known are location, offset, length, checksum, basepath"
                .formatted(entry.getKey()));
      }
      if (entries.put(entry.getKey(), entry.getValue()) != null) {
        throw broken(label, "has the external-data key '%s' twice".formatted(entry.getKey()));
      }
    }
    return entries;
  }

  private Optional<Long> number(String label, Map<String, String> entries, String key) {
    String text = entries.get(key);
    if (text == null) {
      return Optional.empty();
    }
    if (text.isEmpty()
        || text.length() > MAX_DIGITS
        || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      throw broken(
          label,
          "has the external-data %s '%s', which is not a number of bytes".formatted(key, text));
    }
    return Optional.of(Long.parseLong(text));
  }

  private FormatException broken(String label, String how) {
    return new FormatException("%s: tensor '%s' %s".formatted(model(), label, how));
  }
}

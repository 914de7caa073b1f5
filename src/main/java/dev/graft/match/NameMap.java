package dev.graft.match;

import dev.graft.error.FormatException;
import dev.graft.io.InputFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The user's own joins: lines {@code adapter.module -> name}, where the name is that of a node, a
 * weight or a value between them; {@code #} begins a comment line.
 */
public final class NameMap {

  /** No joins. */
  public static final NameMap EMPTY = new NameMap(Map.of());

  private static final long MAX_BYTES = 16 << 20;

  private final Map<String, String> targets;

  private NameMap(Map<String, String> targets) {
    this.targets = Map.copyOf(targets);
  }

  /**
   * Reads a map file.
   *
   * @throws FormatException if it cannot be read, is not UTF-8 or a line has another form
   */
  public static NameMap read(Path file) {
    List<String> lines = text(file).lines().toList();
    Map<String, String> targets = new HashMap<>();
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      String[] sides = line.split("->", 2);
      if (sides.length != 2 || sides[0].isBlank() || sides[1].isBlank()) {
        throw new FormatException(
            "%s: line %d is '%s', expected 'adapter.module -> node or weight'"
                .formatted(file, i + 1, line));
      }
      if (targets.put(sides[0].strip(), sides[1].strip()) != null) {
        throw new FormatException(
            "%s: line %d names '%s' a second time".formatted(file, i + 1, sides[0].strip()));
      }
    }
    return new NameMap(targets);
  }

  private static String text(Path file) {
    byte[] bytes;
    try (InputFile input = InputFile.open(file)) {
      if (input.size() > MAX_BYTES) {
        throw new FormatException(
            "%s: has %d bytes, a map file has %d at most; is this another file?"
                .formatted(file, input.size(), MAX_BYTES));
      }
      bytes = new byte[(int) input.size()];
      input.readFully(MemorySegment.ofArray(bytes), 0);
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new FormatException(
          file + ": is not UTF-8 text; a map file has lines 'adapter.module -> node or weight'", e);
    }
  }

  /** What the user joins an adapter's module or parameter to. */
  Optional<String> target(String name) {
    return Optional.ofNullable(targets.get(name));
  }

  /** The adapter's names that are joined. */
  Set<String> names() {
    return targets.keySet();
  }
}

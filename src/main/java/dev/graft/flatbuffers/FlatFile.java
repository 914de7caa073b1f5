package dev.graft.flatbuffers;

import dev.graft.error.FormatException;
import dev.graft.io.ByteSource;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * A file in the FlatBuffers wire format that may come from anywhere. No number is read before its
 * place is known to lie in the file, and nothing is read that nobody asks for: large vectors of
 * bytes stay where they are. One instance serves one thread.
 */
public final class FlatFile {

  /** More tables are refused, as FlatBuffers' own verifier does. */
  static final int MOST_TABLES = 1_000_000;

  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int IDENTIFIER_AT = 4;
  private static final int HEADER = 8;
  private static final int WINDOW = 4096;

  private final ByteSource file;
  private final MemorySegment window = MemorySegment.ofArray(new byte[WINDOW]);
  private long windowStart;
  private long windowEnd;
  private int tables;

  private FlatFile(ByteSource file) {
    this.file = file;
  }

  /**
   * The root table of a file.
   *
   * @param file the file
   * @param identifier four characters that say what is in it
   * @throws FormatException if the file is too short or too long, has another identifier, or its
   *     root table does not lie in it
   */
  public static FlatTable root(ByteSource file, String identifier) {
    FlatFile flat = new FlatFile(file);
    if (file.size() < HEADER) {
      throw new FormatException(
          "%s: has %d bytes, expected at least %d; the file is truncated"
              .formatted(file.path(), file.size(), HEADER));
    }
    if (file.size() > Integer.MAX_VALUE) {
      throw new FormatException(
          "%s: has %d bytes, but a FlatBuffer has at most %d"
              .formatted(file.path(), file.size(), Integer.MAX_VALUE));
    }
    byte[] found = flat.bytes(IDENTIFIER_AT, identifier.length(), "the identifier");
    String text = new String(found, StandardCharsets.ISO_8859_1);
    if (!text.equals(identifier)) {
      throw new FormatException(
          "%s: the identifier at byte 4 is '%s', expected '%s'; this is another kind of file"
              .formatted(file.path(), text.replaceAll("[^ -~]", "?"), identifier));
    }
    return flat.table(flat.target(0, "the root table"), "the root table");
  }

  /** A table that begins at a place. */
  FlatTable table(long at, String what) {
    if (++tables > MOST_TABLES) {
      throw new FormatException(
          "%s: holds more than %d tables".formatted(file.path(), MOST_TABLES));
    }
    return new FlatTable(this, at, what);
  }

  /** Where the reference at a place leads. */
  long target(long at, String what) {
    long distance = unsigned32(at, what);
    long target = at + distance;
    // A reference to itself would be no forward reference, and endless.
    if (distance == 0 || target > file.size() - Integer.BYTES) {
      throw damaged(at, "refers %d bytes on for %s".formatted(distance, what));
    }
    return target;
  }

  int signed32(long at, String what) {
    return see(at, Integer.BYTES, what).get(I32, at - windowStart);
  }

  long unsigned32(long at, String what) {
    return Integer.toUnsignedLong(signed32(at, what));
  }

  int unsigned16(long at, String what) {
    return Short.toUnsignedInt(see(at, Short.BYTES, what).get(I16, at - windowStart));
  }

  byte[] bytes(long at, int count, String what) {
    requireInside(at, count, what);
    byte[] bytes = new byte[count];
    file.readFully(MemorySegment.ofArray(bytes), at);
    return bytes;
  }

  /** Returns if a range lies in the file. */
  void requireInside(long at, long count, String what) {
    if (at < 0 || count < 0 || count > file.size() || at > file.size() - count) {
      throw damaged(
          at,
          "%d bytes are needed for %s, but the file ends at %d"
              .formatted(count, what, file.size()));
    }
  }

  ByteSource source() {
    return file;
  }

  FormatException damaged(long at, String problem) {
    return new FormatException(
        "%s: at byte %d: %s; the file is truncated or damaged".formatted(file.path(), at, problem));
  }

  private MemorySegment see(long at, int count, String what) {
    requireInside(at, count, what);
    if (at < windowStart || at + count > windowEnd) {
      windowStart = at;
      windowEnd = Math.min(file.size(), at + WINDOW);
      file.readFully(window.asSlice(0, windowEnd - windowStart), windowStart);
    }
    return window;
  }
}

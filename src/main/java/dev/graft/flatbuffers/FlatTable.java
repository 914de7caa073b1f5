package dev.graft.flatbuffers;

import dev.graft.error.FormatException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;

/**
 * A table of a {@link FlatFile}. That its list of fields lies in the file is checked when it is
 * made, everything else when it is asked for. Fields are counted from 0.
 */
public final class FlatTable {

  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int VTABLE_HEADER = 4;

  private final FlatFile file;
  private final long at;
  private final String what;
  private final long vtable;
  private final int vtableBytes;
  private final int tableBytes;

  FlatTable(FlatFile file, long at, String what) {
    this.file = file;
    this.at = at;
    this.what = what;
    this.vtable = at - file.signed32(at, what);
    this.vtableBytes = file.unsigned16(vtable, "the fields of " + what);
    this.tableBytes = file.unsigned16(vtable + 2, "the fields of " + what);
    if (vtableBytes < VTABLE_HEADER || vtableBytes % 2 != 0) {
      throw file.damaged(
          vtable, "%s has a list of %d bytes for its fields".formatted(what, vtableBytes));
    }
    file.requireInside(vtable, vtableBytes, "the fields of " + what);
    file.requireInside(at, tableBytes, what);
  }

  /**
   * A vector.
   *
   * @param at where its first element lies in the file
   * @param count how many it has
   */
  public record Vector(long at, int count) {}

  /** A 32-bit number, or another if it is not stored. */
  public int integer(int field, int otherwise) {
    OptionalLong place = place(field);
    return place.isEmpty() ? otherwise : file.signed32(place.getAsLong(), what);
  }

  /** A string. */
  public String text(int field) {
    Vector vector = vector(field, 1);
    byte[] bytes = file.bytes(vector.at(), vector.count(), name(field));
    file.requireInside(vector.at(), vector.count() + 1L, "the end of " + name(field));
    if (file.bytes(vector.at() + vector.count(), 1, name(field))[0] != 0) {
      throw file.damaged(vector.at(), name(field) + " is a string that does not end with a zero");
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw file.damaged(vector.at(), name(field) + " is a string that is not UTF-8");
    }
  }

  /** A vector of 64-bit numbers, at most so many. */
  public long[] longs(int field, int most) {
    Vector vector = vector(field, Long.BYTES);
    if (vector.count() > most) {
      throw file.damaged(
          vector.at(),
          "%s has %d numbers, expected at most %d".formatted(name(field), vector.count(), most));
    }
    return MemorySegment.ofArray(file.bytes(vector.at(), vector.count() * Long.BYTES, name(field)))
        .toArray(I64);
  }

  /** Where a vector of bytes lies; nothing of it is read. */
  public Vector bytes(int field) {
    return vector(field, 1);
  }

  /** A vector of references to tables, each to be asked for with {@link #table}. */
  public Vector references(int field) {
    return vector(field, Integer.BYTES);
  }

  /**
   * One table of a vector.
   *
   * @param called what messages call it
   */
  public FlatTable table(Vector references, int index, String called) {
    long place = references.at() + (long) Integer.BYTES * index;
    return file.table(file.target(place, called), called);
  }

  /** Says what is wrong with this table, and where. */
  public FormatException damaged(String problem) {
    return file.damaged(at, what + ": " + problem);
  }

  private Vector vector(int field, int elementBytes) {
    long place =
        place(field)
            .orElseThrow(() -> file.damaged(at, "%s lacks its field %d".formatted(what, field)));
    long start = file.target(place, name(field));
    long count = file.unsigned32(start, name(field));
    file.requireInside(start + Integer.BYTES, count * elementBytes, name(field));
    return new Vector(start + Integer.BYTES, (int) count);
  }

  /** Where a field lies, if it is stored; its first four bytes lie in the table. */
  private OptionalLong place(int field) {
    int entry = VTABLE_HEADER + 2 * field;
    if (entry + 2 > vtableBytes) {
      return OptionalLong.empty();
    }
    int offset = file.unsigned16(vtable + entry, "the fields of " + what);
    if (offset == 0) {
      return OptionalLong.empty();
    }
    if (offset < Integer.BYTES || offset + Integer.BYTES > tableBytes) {
      throw file.damaged(
          vtable + entry,
          "%s has its field %d at %d of its %d bytes".formatted(what, field, offset, tableBytes));
    }
    return OptionalLong.of(at + offset);
  }

  private String name(int field) {
    return "field %d of %s".formatted(field, what);
  }
}

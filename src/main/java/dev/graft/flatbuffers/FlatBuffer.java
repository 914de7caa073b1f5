package dev.graft.flatbuffers;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Writes the FlatBuffers wire format. A buffer grows from its end to its front, so that what is
 * referred to stands before what refers to it is written; places are counted from the end.
 */
public final class FlatBuffer {

  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong I64 =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int MOST = Integer.MAX_VALUE - 64;
  private static final int LONGEST_ALIGNMENT = 8;

  private byte[] buffer;
  private int used;
  private int[] fields = new int[0];
  private int tableStart;

  /** Begins a buffer with room for about so many bytes. */
  public FlatBuffer(long expected) {
    buffer = new byte[size(Math.max(64, expected))];
  }

  /** A string; returns its place. */
  public int text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    prepare(4, bytes.length + 1);
    put(new byte[] {0});
    put(bytes);
    return length(bytes.length);
  }

  /** A vector of bytes; returns its place. */
  public int bytes(MemorySegment bytes) {
    int count = size(bytes.byteSize());
    // Whoever reads numbers out of the bytes wants them aligned for the largest type.
    prepare(4, count);
    prepare(LONGEST_ALIGNMENT, count);
    reserve(count);
    MemorySegment.copy(bytes, 0, MemorySegment.ofArray(buffer), buffer.length - used, count);
    return length(count);
  }

  /** A vector of 64-bit numbers; returns its place. */
  public int longs(long... values) {
    prepare(4, 8 * values.length);
    prepare(8, 8 * values.length);
    for (int i = values.length - 1; i >= 0; i--) {
      reserve(8);
      memory().set(I64, front(), values[i]);
    }
    return length(values.length);
  }

  /** A vector of references to tables; returns its place. */
  public int references(List<Integer> places) {
    prepare(4, 4 * places.size());
    for (int place : places.reversed()) {
      referTo(place);
    }
    return length(places.size());
  }

  /** Begins a table with so many fields; strings and vectors must have been written before. */
  public void beginTable(int count) {
    fields = new int[count];
    tableStart = used;
  }

  /** A 32-bit number as a field of the table. */
  public void integer(int field, int value) {
    prepare(4, 0);
    reserve(4);
    memory().set(I32, front(), value);
    fields[field] = used;
  }

  /** A reference as a field of the table. */
  public void reference(int field, int place) {
    prepare(4, 0);
    referTo(place);
    fields[field] = used;
  }

  /** Ends the table; returns its place. */
  public int endTable() {
    prepare(4, 0);
    reserve(4);
    int table = used;
    for (int i = fields.length - 1; i >= 0; i--) {
      reserve(2);
      memory().set(I16, front(), (short) (fields[i] == 0 ? 0 : table - fields[i]));
    }
    reserve(4);
    memory().set(I16, front(), (short) (4 + 2 * fields.length));
    memory().set(I16, front() + 2, (short) (table - tableStart));
    memory().set(I32, buffer.length - table, used - table);
    return table;
  }

  /** Ends the buffer. */
  public byte[] finish(int root, String identifier) {
    prepare(LONGEST_ALIGNMENT, 8);
    put(identifier.getBytes(StandardCharsets.US_ASCII));
    referTo(root);
    return Arrays.copyOfRange(buffer, buffer.length - used, buffer.length);
  }

  private int length(int count) {
    reserve(4);
    memory().set(I32, front(), count);
    return used;
  }

  private void referTo(int place) {
    reserve(4);
    memory().set(I32, front(), used - place);
  }

  private void put(byte[] bytes) {
    reserve(bytes.length);
    System.arraycopy(bytes, 0, buffer, front(), bytes.length);
  }

  /** Pads so that something aligned stands in front of so many further bytes. */
  private void prepare(int alignment, int following) {
    int rest = Math.floorMod(-(used + following), alignment);
    reserve(rest);
    Arrays.fill(buffer, front(), front() + rest, (byte) 0);
  }

  private void reserve(int count) {
    long needed = (long) used + count;
    if (needed > buffer.length) {
      byte[] larger = new byte[size(Math.min(MOST, Math.max(2L * buffer.length, needed)))];
      if (needed > MOST) {
        throw tooLarge(needed);
      }
      System.arraycopy(buffer, front(), larger, larger.length - used, used);
      buffer = larger;
    }
    used += count;
  }

  private int front() {
    return buffer.length - used;
  }

  private MemorySegment memory() {
    return MemorySegment.ofArray(buffer);
  }

  private static int size(long bytes) {
    if (bytes > MOST) {
      throw tooLarge(bytes);
    }
    return (int) bytes;
  }

  private static IllegalArgumentException tooLarge(long bytes) {
    return new IllegalArgumentException(
        bytes + " bytes are more than a FlatBuffer can hold, which is 2 GB");
  }
}

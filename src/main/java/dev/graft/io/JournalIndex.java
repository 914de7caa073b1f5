package dev.graft.io;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What a journal changes, in files of its own folder.
 *
 * @param files the files whose bytes change, their new bytes in the journal in this order
 * @param removed names of files that go when the others are changed
 */
public record JournalIndex(List<Changed> files, List<String> removed) {

  /** Keeps own copies. */
  public JournalIndex {
    files = List.copyOf(files);
    removed = List.copyOf(removed);
  }

  /**
   * A file that changes.
   *
   * @param name its name
   * @param newName its name afterwards, the same as a rule
   * @param length its length afterwards
   * @param ranges where its bytes change, in order
   */
  public record Changed(String name, String newName, long length, List<Range> ranges) {

    /** Keeps an own copy. */
    public Changed {
      ranges = List.copyOf(ranges);
    }
  }

  /**
   * A run of bytes that change.
   *
   * @param position where it begins in the file
   * @param length how many
   */
  public record Range(long position, long length) {}

  /** How many bytes change. */
  public long payloadBytes() {
    return files.stream().flatMap(f -> f.ranges().stream()).mapToLong(Range::length).sum();
  }

  /** As the journal holds it, big-endian, strings with a length of two bytes. */
  public byte[] bytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeInt(files.size());
      for (Changed file : files) {
        write(out, file.name());
        write(out, file.newName());
        out.writeLong(file.length());
        out.writeInt(file.ranges().size());
        for (Range range : file.ranges()) {
          out.writeLong(range.position());
          out.writeLong(range.length());
        }
      }
      out.writeInt(removed.size());
      for (String name : removed) {
        write(out, name);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void write(DataOutputStream out, String name) throws IOException {
    byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
    out.writeShort(bytes.length);
    out.write(bytes);
  }

  /**
   * Reads it back.
   *
   * @throws IllegalArgumentException if it is damaged: the message says how
   */
  static JournalIndex read(ByteBuffer from) {
    try {
      List<Changed> files = new ArrayList<>();
      for (int left = count(from); left > 0; left--) {
        files.add(changed(from));
      }
      List<String> removed = new ArrayList<>();
      for (int left = count(from); left > 0; left--) {
        removed.add(name(from));
      }
      if (from.hasRemaining()) {
        throw new IllegalArgumentException("its index has " + from.remaining() + " bytes too many");
      }
      return new JournalIndex(files, removed);
    } catch (BufferUnderflowException e) {
      throw new IllegalArgumentException("its index ends too early", e);
    }
  }

  private static Changed changed(ByteBuffer from) {
    String name = name(from);
    String newName = name(from);
    long length = from.getLong();
    List<Range> ranges = new ArrayList<>();
    long end = 0;
    for (int left = count(from); left > 0; left--) {
      Range range = new Range(from.getLong(), from.getLong());
      if (range.position() < end
          || range.length() <= 0
          || range.length() > length - range.position()) {
        throw new IllegalArgumentException(
            "the range of %d bytes at %d does not lie in '%s'"
                .formatted(range.length(), range.position(), name));
      }
      end = range.position() + range.length();
      ranges.add(range);
    }
    return new Changed(name, newName, length, ranges);
  }

  /** Everything that is counted takes at least two bytes. */
  private static int count(ByteBuffer from) {
    int count = from.getInt();
    if (count < 0 || count > from.remaining() / 2) {
      throw new IllegalArgumentException("its index counts " + count + " of something");
    }
    return count;
  }

  /** A journal may come from a stranger: it names files in its own folder and nothing else. */
  private static String name(ByteBuffer from) {
    byte[] bytes = new byte[Short.toUnsignedInt(from.getShort())];
    from.get(bytes);
    String name = new String(bytes, StandardCharsets.UTF_8);
    if (name.isEmpty()
        || name.equals(".")
        || name.equals("..")
        || name.chars().anyMatch(c -> c == '/' || c == '\\' || c < ' ')) {
      throw new IllegalArgumentException("it names the file '" + name + "'");
    }
    return name;
  }
}

package dev.graft.safetensors;

import dev.graft.io.AtomicOutput;
import dev.graft.io.OutputFile;
import dev.graft.tensor.DType;
import dev.graft.tensor.FloatCodec;
import dev.graft.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Writes a safetensors file whose bytes depend only on its contents: tensors by falling rank of
 * their type, then by name, metadata by key, the header padded with spaces to 8 bytes. A file with
 * at most one metadata entry is byte for byte the one that the reference library writes.
 */
public final class SafetensorsWriter {

  // The order of the reference writer: it falls with the size of the element, so every tensor is
  // aligned.
  private static final List<String> TYPE_ORDER =
      List.of(
          "U64",
          "I64",
          "F64",
          "C64",
          "F32",
          "U32",
          "I32",
          "BF16",
          "F16",
          "U16",
          "I16",
          "F8_E5M2FNUZ",
          "F8_E4M3FNUZ",
          "F8_E8M0",
          "F8_E4M3",
          "F8_E5M2",
          "I8",
          "U8",
          "F6_E3M2",
          "F6_E2M3",
          "F4",
          "BOOL");
  private static final int CHUNK = 1 << 16;

  /** Gives the bytes of one tensor when its turn comes. */
  public interface Content {
    /** Writes exactly the bytes that type and shape ask for. */
    void writeTo(Sink out);
  }

  /** Takes the bytes of a tensor in order, piece by piece. */
  public interface Sink {
    /** Appends what remains of a buffer. */
    void write(ByteBuffer bytes);
  }

  private static final class Tail implements Sink {
    private final OutputFile file;
    private long position;

    Tail(OutputFile file) {
      this.file = file;
    }

    @Override
    public void write(ByteBuffer bytes) {
      int count = bytes.remaining();
      file.write(bytes, position);
      position += count;
    }
  }

  private record Item(String name, DType dtype, Shape shape, Content content) {}

  private final SortedMap<String, String> metadata = new TreeMap<>();
  private final List<Item> items = new ArrayList<>();
  private final Set<String> names = new HashSet<>();

  /** Adds a string to {@code __metadata__}. */
  public SafetensorsWriter metadata(String key, String value) {
    metadata.put(key, value);
    return this;
  }

  /** Adds an F32 tensor, row-major; the array is read when the file is written. */
  public SafetensorsWriter add(String name, Shape shape, float[] values) {
    if (values.length != shape.elements()) {
      throw new IllegalArgumentException(
          name + ": " + values.length + " values for shape " + shape);
    }
    return add(name, DType.FLOAT32, shape, out -> writeFloats(values, out));
  }

  /** Adds a tensor whose bytes are at hand: little-endian, row-major. */
  public SafetensorsWriter add(String name, DType dtype, Shape shape, MemorySegment bytes) {
    return add(name, dtype, shape, out -> out.write(bytes.asByteBuffer()));
  }

  /** Adds a tensor of another file, its bytes as they are. */
  public SafetensorsWriter addCopy(String name, SafetensorsTensor from) {
    return add(name, from.dtype(), from.shape(), out -> copy(from, out));
  }

  /**
   * Adds a tensor whose bytes are made while writing.
   *
   * @throws IllegalArgumentException if the name is taken or the format has no such type
   */
  public SafetensorsWriter add(String name, DType dtype, Shape shape, Content content) {
    if (!TYPE_ORDER.contains(dtype.safetensorsName())) {
      throw new IllegalArgumentException(name + ": safetensors has no type " + dtype);
    }
    if (name.equals("__metadata__") || !names.add(name)) {
      throw new IllegalArgumentException(name + ": this tensor name is taken");
    }
    items.add(new Item(name, dtype, shape, content));
    return this;
  }

  /**
   * Writes the file: beside its final place first, then renamed, so that whoever has an older file
   * of that name open or mapped keeps it whole.
   *
   * @throws dev.graft.error.RuntimeFailure if it cannot be written; an older file is then untouched
   */
  public void write(Path path) {
    List<Item> sorted =
        items.stream()
            .sorted(
                Comparator.<Item>comparingInt(i -> TYPE_ORDER.indexOf(i.dtype().safetensorsName()))
                    .thenComparing(Item::name, SafetensorsWriter::byCodePoint))
            .toList();
    byte[] header = header(sorted);
    try (AtomicOutput output = AtomicOutput.begin(path)) {
      Tail out = new Tail(output.main());
      ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
      out.write(length.putLong(0, header.length));
      out.write(ByteBuffer.wrap(header));
      for (Item item : sorted) {
        long start = out.position;
        item.content().writeTo(out);
        if (out.position - start != bytes(item)) {
          throw new IllegalStateException(
              item.name() + ": " + (out.position - start) + " bytes for " + bytes(item));
        }
      }
      output.commit();
    }
  }

  private byte[] header(List<Item> sorted) {
    List<String> parts = new ArrayList<>();
    if (!metadata.isEmpty()) {
      List<String> pairs = new ArrayList<>();
      metadata.forEach((k, v) -> pairs.add(StrictJson.quote(k) + ":" + StrictJson.quote(v)));
      parts.add("\"__metadata__\":{" + String.join(",", pairs) + "}");
    }
    long at = 0;
    for (Item item : sorted) {
      long end = Math.addExact(at, bytes(item));
      String dims = item.shape().toString().replace(" ", "");
      parts.add(
          StrictJson.quote(item.name())
              + ":{\"dtype\":\""
              + item.dtype().safetensorsName()
              + "\",\"shape\":"
              + dims
              + ",\"data_offsets\":["
              + at
              + ","
              + end
              + "]}");
      at = end;
    }
    String json = "{" + String.join(",", parts) + "}";
    byte[] bytes = json.getBytes(StandardCharsets.UTF_8);
    return (json + " ".repeat((8 - bytes.length % 8) % 8)).getBytes(StandardCharsets.UTF_8);
  }

  private static long bytes(Item item) {
    return item.dtype().bytes(item.shape().elements());
  }

  // UTF-8 sorts as code points do; Java's own order differs beyond the basic plane.
  private static int byCodePoint(String a, String b) {
    byte[] left = a.getBytes(StandardCharsets.UTF_8);
    byte[] right = b.getBytes(StandardCharsets.UTF_8);
    return Arrays.compareUnsigned(left, right);
  }

  private static void writeFloats(float[] values, Sink out) {
    FloatCodec codec = new FloatCodec(DType.FLOAT32, CHUNK);
    ByteBuffer bytes = ByteBuffer.allocate(CHUNK * Float.BYTES);
    for (int done = 0; done < values.length; done += CHUNK) {
      int count = Math.min(CHUNK, values.length - done);
      float[] part = Arrays.copyOfRange(values, done, done + count);
      codec.encode(part, count, MemorySegment.ofArray(bytes.array()), 0);
      out.write(bytes.clear().limit(count * Float.BYTES));
    }
  }

  private static void copy(SafetensorsTensor from, Sink out) {
    byte[] chunk = new byte[CHUNK];
    long length = from.source().length();
    for (long done = 0; done < length; done += CHUNK) {
      int count = (int) Math.min(CHUNK, length - done);
      SafetensorsData.read(from, done, MemorySegment.ofArray(chunk).asSlice(0, count));
      out.write(ByteBuffer.wrap(chunk, 0, count));
    }
  }
}

package dev.graft.onnxadapter;

import dev.graft.error.UnsupportedException;
import dev.graft.flatbuffers.FlatBuffer;
import dev.graft.io.AtomicOutput;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Collects tensors and writes them as an {@code .onnx_adapter} file. */
public final class OnnxAdapterWriter {

  /** A FlatBuffer's offsets are signed numbers of 32 bits. */
  private static final long MOST_BYTES = Integer.MAX_VALUE - 64L;

  /** What a table, its list of fields and the paddings take at most. */
  private static final long OVERHEAD = 256;

  private record Part(AdapterParameter parameter, MemorySegment data) {}

  private final List<Part> parts = new ArrayList<>();
  private final Set<String> names = new HashSet<>();
  private long size = OVERHEAD;

  /**
   * Adds a tensor.
   *
   * @param parameter name, type and shape
   * @param data its values, little-endian
   * @throws UnsupportedException if the file would become larger than the format allows, 2 GB
   */
  public void add(AdapterParameter parameter, MemorySegment data) {
    if (data.byteSize() != parameter.lengthBytes() || !names.add(parameter.name())) {
      throw new IllegalArgumentException(
          "%s: %d bytes; a name is given once, with the bytes of its shape"
              .formatted(parameter, data.byteSize()));
    }
    size += data.byteSize() + 4L * parameter.name().length() + OVERHEAD;
    if (size > MOST_BYTES) {
      throw new UnsupportedException(
          "the adapter takes more than 2 GB, which is all that an .onnx_adapter file can hold; merge it instead");
    }
    parts.add(new Part(parameter, data));
  }

  /** Writes the file, whole or not at all; an older one of that name is replaced. */
  public void write(Path path) {
    try (AtomicOutput output = AtomicOutput.begin(path)) {
      output.main().write(MemorySegment.ofArray(bytes()), 0);
      output.commit();
    }
  }

  /** The file's bytes. */
  public byte[] bytes() {
    FlatBuffer buffer = new FlatBuffer(size);
    List<Integer> places = new ArrayList<>();
    parts.forEach(part -> places.add(place(buffer, part)));
    int parameters = buffer.references(places);
    buffer.beginTable(AdapterSchema.FIELDS);
    buffer.reference(AdapterSchema.PARAMETERS, parameters);
    buffer.integer(AdapterSchema.FORMAT_VERSION, AdapterSchema.FORMAT);
    return buffer.finish(buffer.endTable(), AdapterSchema.IDENTIFIER);
  }

  private static int place(FlatBuffer buffer, Part part) {
    AdapterParameter parameter = part.parameter();
    int data = buffer.bytes(part.data());
    int dims = buffer.longs(parameter.shape().toArray());
    int name = buffer.text(parameter.name());
    buffer.beginTable(AdapterSchema.PARAMETER_FIELDS);
    buffer.reference(AdapterSchema.NAME, name);
    buffer.reference(AdapterSchema.DIMS, dims);
    buffer.integer(AdapterSchema.DATA_TYPE, parameter.dtype().onnxCode());
    buffer.reference(AdapterSchema.RAW_DATA, data);
    return buffer.endTable();
  }
}

package dev.graft.onnx;

import dev.graft.io.ByteSource;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/**
 * The values of a tensor that keeps them in typed fields, as {@code raw_data} would have them.
 *
 * @param path the model file that they were decoded from
 * @param values little-endian and in row-major order
 */
public record DecodedValues(Path path, MemorySegment values) implements ByteSource {

  /**
   * Decodes a tensor.
   *
   * @param file the open model file
   * @throws dev.graft.error.GraftException as {@link TypedValues#decode} does
   */
  public static DecodedValues of(StoredTensor tensor, ByteSource file) {
    return new DecodedValues(file.path(), MemorySegment.ofArray(TypedValues.decode(tensor, file)));
  }

  @Override
  public long size() {
    return values.byteSize();
  }

  @Override
  public void readFully(MemorySegment into, long position) {
    MemorySegment.copy(values, position, into, 0, into.byteSize());
  }
}

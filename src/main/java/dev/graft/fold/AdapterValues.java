package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.io.InputFile;
import dev.graft.match.OutputRange;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsTensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The adapter's numbers, none of them NaN or infinite, each file opened once. The fold checks its
 * results as well; this names the tensor that is at fault. Safe to share between threads.
 */
final class AdapterValues implements AutoCloseable {

  private final Map<Path, InputFile> open = new HashMap<>();

  /**
   * All values of a tensor as float32, row after row.
   *
   * @throws FormatException if a value is not finite, or the file cannot be read
   */
  float[] read(SafetensorsTensor tensor) {
    float[] values = SafetensorsData.readFloats(tensor, file(tensor));
    requireFinite(tensor, values, values.length, 0);
    return values;
  }

  /** The values of a vector that belong to some outputs; see {@link #read(SafetensorsTensor)}. */
  float[] read(SafetensorsTensor vector, OutputRange outputs) {
    float[] all = read(vector);
    int from = (int) outputs.from();
    return Arrays.copyOfRange(all, from, from + (int) outputs.countOf(all.length));
  }

  /** The open file that holds a tensor. */
  synchronized InputFile file(SafetensorsTensor tensor) {
    return open.computeIfAbsent(tensor.source().file(), InputFile::open);
  }

  /**
   * Looks at {@code count} values, the first of which is element {@code first} of the tensor.
   *
   * @throws FormatException if one is not finite
   */
  static void requireFinite(SafetensorsTensor tensor, float[] values, int count, long first) {
    for (int i = 0; i < count; i++) {
      if (!Float.isFinite(values[i])) {
        throw new FormatException(
            "%s: tensor '%s' holds %s at index %d; the adapter is damaged or its training diverged"
                .formatted(tensor.source().file(), tensor.name(), values[i], first + i));
      }
    }
  }

  /** Bytes read so far. */
  synchronized long bytesRead() {
    return open.values().stream().mapToLong(InputFile::bytesRead).sum();
  }

  @Override
  public synchronized void close() {
    open.values().forEach(InputFile::close);
    open.clear();
  }
}

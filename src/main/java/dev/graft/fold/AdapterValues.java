package dev.graft.fold;

import dev.graft.error.FormatException;
import dev.graft.io.InputFile;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsTensor;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** Reads the tensors of an adapter, each file opened once. Safe to share between threads. */
final class AdapterValues implements AutoCloseable {

  private final Map<Path, InputFile> open = new HashMap<>();

  /**
   * All values of a tensor as float32, row after row. The fold checks its results as well; this
   * names the tensor that is at fault.
   *
   * @throws FormatException if a value is not finite, or the file cannot be read
   */
  float[] finite(SafetensorsTensor tensor) {
    float[] values = SafetensorsData.readFloats(tensor, file(tensor.source().file()));
    for (int i = 0; i < values.length; i++) {
      if (!Float.isFinite(values[i])) {
        throw new FormatException(
            "%s: tensor '%s' holds %s at index %d; the adapter is damaged or its training diverged"
                .formatted(tensor.source().file(), tensor.name(), values[i], i));
      }
    }
    return values;
  }

  private synchronized InputFile file(Path path) {
    return open.computeIfAbsent(path, InputFile::open);
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

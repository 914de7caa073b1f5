package dev.graft.verify;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.runtime.HostTensor;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsFile;
import dev.graft.safetensors.SafetensorsTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.SequencedSet;

/** The tensors of a safetensors file, read into memory one by one when they are asked for. */
final class StoredTensors {

  private static final long BLOCK_BYTES = 1L << 30;

  private final SafetensorsFile file;
  private final Arena arena;

  private StoredTensors(SafetensorsFile file, Arena arena) {
    this.file = file;
    this.arena = arena;
  }

  /** Checks the header; what is read later lives as long as the arena. */
  static StoredTensors open(Path path, Arena arena) {
    return new StoredTensors(SafetensorsFile.open(path), arena);
  }

  Path path() {
    return file.path();
  }

  SequencedSet<String> names() {
    return file.tensors().sequencedKeySet();
  }

  /** Makes sure that there is a tensor of that name. */
  void require(String name) {
    tensor(name);
  }

  /** The tensor of that name, which must be there. */
  HostTensor get(String name) {
    return read(tensor(name));
  }

  private SafetensorsTensor tensor(String name) {
    return file.tensor(name)
        .orElseThrow(() ->
            new FormatException(
                "%s: there is no tensor '%s'; the file has %s"
                    .formatted(path(), name, Names.listed(names()))));
  }

  private HostTensor read(SafetensorsTensor tensor) {
    if (!HostTensor.isFloat(tensor.dtype()) && !HostTensor.isInteger(tensor.dtype())) {
      throw new UnsupportedException(
          "%s: tensor '%s' is %s; parity needs plain floats or integers"
              .formatted(path(), tensor.name(), tensor.dtype()));
    }
    HostTensor host = HostTensor.allocate(tensor.dtype(), tensor.shape(), arena);
    MemorySegment data = host.data();
    for (long at = 0; at < data.byteSize(); at += BLOCK_BYTES) {
      long length = Math.min(BLOCK_BYTES, data.byteSize() - at);
      SafetensorsData.read(tensor, at, data.asSlice(at, length));
    }
    return host;
  }
}

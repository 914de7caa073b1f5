package dev.graft.fold;

import dev.graft.fold.TensorFolder.Source;
import dev.graft.io.ByteSource;
import dev.graft.io.OpenFile;
import dev.graft.io.Progress;
import dev.graft.io.Sha256;
import dev.graft.onnx.DecodedValues;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.TensorSource;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The files of a model, each opened once. */
final class SourceFiles implements AutoCloseable {

  private final OnnxModel model;
  private final Map<Path, OpenFile> open = new HashMap<>();

  SourceFiles(OnnxModel model) {
    this.model = model;
  }

  /** The open file of this path. */
  synchronized OpenFile file(Path path) {
    return open.computeIfAbsent(path, model::openSource);
  }

  /** The stored bytes of a tensor, decoded where they stand in typed fields. */
  Source bytes(StoredTensor tensor) {
    if (tensor.source().isEmpty()) {
      return new Source(DecodedValues.of(tensor, file(model.path())), 0);
    }
    TensorSource source = tensor.source().get();
    return new Source(file(source.file()), source.offset());
  }

  /** The bytes that a fold changes: a stored tensor's, or zeros where nothing of one stays. */
  Source start(FoldedTensor tensor) {
    return tensor
        .start()
        .map(this::bytes)
        .orElseGet(() -> new Source(new Zeros(file(model.path()).path()), 0));
  }

  /** What the stored bytes of a tensor hash to. */
  String sha256(StoredTensor tensor) {
    Source source = bytes(tensor);
    Sha256 hash = new Sha256();
    hash.update(source.bytes(), source.offset(), tensor.bytes(), Progress.NONE);
    return hash.hex();
  }

  /** A tensor's bytes as they stand, for a typed tensor those of its whole message. */
  Source stored(StoredTensor tensor) {
    return tensor.source().isPresent()
        ? bytes(tensor)
        : new Source(file(model.path()), tensor.span().bodyStart());
  }

  /** How many bytes {@link #stored} has. */
  static long storedLength(StoredTensor tensor) {
    return tensor
        .source()
        .map(TensorSource::length)
        .orElse(tensor.span().bodyEnd() - tensor.span().bodyStart());
  }

  /** Bytes read from all of them so far. */
  synchronized long bytesRead() {
    return open.values().stream().mapToLong(OpenFile::bytesRead).sum();
  }

  @Override
  public synchronized void close() {
    open.values().forEach(OpenFile::close);
    open.clear();
  }

  /** As many zeros as anyone wants. */
  private record Zeros(Path path) implements ByteSource {
    @Override
    public long size() {
      return Long.MAX_VALUE;
    }

    @Override
    public void readFully(MemorySegment into, long position) {
      into.fill((byte) 0);
    }
  }
}

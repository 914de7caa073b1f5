package dev.graft.onnx;

import dev.graft.io.ByteSource;
import dev.graft.io.Progress;
import dev.graft.io.Sha256;
import dev.graft.tensor.TensorSource;
import java.util.Comparator;
import java.util.List;

/**
 * The hash of what a model file holds beside its weights: SHA-256 over its bytes in order, without
 * the data of embedded tensors of {@value #LEFT_OUT_FROM} bytes or more. It tells one base from
 * another without reading the weights.
 */
public final class Skeleton {

  private static final int LEFT_OUT_FROM = 1024;

  private Skeleton() {}

  /**
   * Hashes.
   *
   * @param model the model
   * @param file its file, open
   */
  public static String sha256(OnnxModel model, ByteSource file) {
    List<TensorSource> payloads =
        model.tensors().stream()
            .flatMap(t -> t.source().stream())
            .filter(s -> s.file().equals(model.path()) && s.length() >= LEFT_OUT_FROM)
            .sorted(Comparator.comparingLong(TensorSource::offset))
            .toList();
    Sha256 hash = new Sha256();
    long position = 0;
    for (TensorSource payload : payloads) {
      add(hash, file, position, payload.offset());
      position = Math.max(position, payload.end());
    }
    add(hash, file, position, model.fileLength());
    return hash.hex();
  }

  private static void add(Sha256 hash, ByteSource file, long from, long to) {
    if (from < to) {
      hash.update(file, from, to - from, Progress.NONE);
    }
  }
}

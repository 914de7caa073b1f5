package dev.graft.runtime;

import dev.graft.onnxadapter.OnnxAdapterFile;
import java.nio.file.Path;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.onnxruntime.OrtAllocator;
import org.bytedeco.onnxruntime.OrtLoraAdapter;

/**
 * An {@code .onnx_adapter} file loaded into ONNX Runtime, for any number of sessions whose models
 * have its slots. Whoever closes it sees to it that no run uses it any more.
 */
public final class LoraAdapter implements AutoCloseable {

  /**
   * Without one the values stay in the process's own memory. The type's plain constructor makes a
   * struct.
   */
  private static final OrtAllocator NO_ALLOCATOR = new OrtAllocator((Pointer) null);

  private final OrtLibrary ort;
  private final Path path;
  private final OrtLoraAdapter adapter;
  private boolean closed;

  private LoraAdapter(OrtLibrary ort, Path path, OrtLoraAdapter adapter) {
    this.ort = ort;
    this.path = path;
    this.adapter = adapter;
  }

  /**
   * Loads an adapter. The file is verified first: the runtime takes for granted that values are as
   * long as their shapes say.
   *
   * @throws dev.graft.error.FormatException if the file is missing, of another kind or damaged
   * @throws dev.graft.error.UnsupportedException if it holds what the runtime does not load
   * @throws dev.graft.error.RuntimeFailure if the runtime refuses it, with its reason
   */
  public static LoraAdapter open(Path path) {
    OnnxAdapterFile.open(path);
    OrtLibrary ort = OrtLibrary.get();
    OrtLoraAdapter adapter = new OrtLoraAdapter();
    try (PointerScope _ = new PointerScope()) {
      ort.check(
          ort.api().CreateLoraAdapter(OrtLibrary.path(path.toString()), NO_ALLOCATOR, adapter),
          path + ": ONNX Runtime cannot load the adapter");
    }
    return new LoraAdapter(ort, path, adapter);
  }

  OrtLoraAdapter pointer() {
    if (closed) {
      throw new IllegalStateException(path + ": the adapter is closed");
    }
    return adapter;
  }

  /** Frees the adapter. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      ort.api().ReleaseLoraAdapter(adapter);
    }
  }
}

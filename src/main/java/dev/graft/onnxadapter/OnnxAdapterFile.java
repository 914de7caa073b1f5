package dev.graft.onnxadapter;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.flatbuffers.FlatFile;
import dev.graft.flatbuffers.FlatTable;
import dev.graft.io.ByteSource;
import dev.graft.io.InputFile;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.tensor.TensorSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What an {@code .onnx_adapter} file holds. Opening it checks everything but the values, which are
 * not read.
 *
 * @param path the file
 * @param adapterVersion the adapter's own version, 0 if none is given
 * @param modelVersion the version of the model that it is for, 0 if none is given
 * @param parameters its tensors in the order of the file, their names all different
 */
public record OnnxAdapterFile(
    Path path, int adapterVersion, int modelVersion, List<Stored> parameters) {

  /** How files of this kind are called. */
  public static final String SUFFIX = ".onnx_adapter";

  private static final int MOST_DIMENSIONS = 64;
  private static final int LONGEST_NAME = 1 << 16;

  /** Keeps an own copy. */
  public OnnxAdapterFile {
    parameters = List.copyOf(parameters);
  }

  /**
   * A tensor and where its values lie.
   *
   * @param parameter name, type and shape
   * @param source its bytes, little-endian; they may lie at any address
   */
  public record Stored(AdapterParameter parameter, TensorSource source) {}

  /**
   * Opens a file.
   *
   * @throws FormatException if it is not of this kind, is truncated, or an offset, a size or a
   *     shape in it makes no sense
   * @throws UnsupportedException if ONNX Runtime would not load it: another version of the format,
   *     a bool, a tensor without dimensions
   */
  public static OnnxAdapterFile open(Path path) {
    try (InputFile file = InputFile.open(path)) {
      FlatTable root = FlatFile.root(file, AdapterSchema.IDENTIFIER);
      int format = root.integer(AdapterSchema.FORMAT_VERSION, 0);
      if (format != AdapterSchema.FORMAT) {
        throw new UnsupportedException(
            "%s: the format's version is %d, expected %d; write the file again with this version's tools"
                .formatted(path, format, AdapterSchema.FORMAT));
      }
      return new OnnxAdapterFile(
          path,
          root.integer(AdapterSchema.ADAPTER_VERSION, 0),
          root.integer(AdapterSchema.MODEL_VERSION, 0),
          new Reading(file, root).parameters());
    }
  }

  /** The number of bytes that all values take. */
  public long valueBytes() {
    return parameters.stream().mapToLong(p -> p.source().length()).sum();
  }

  /** The way through the vector of parameters. What overlaps could be read again and again. */
  private static final class Reading {
    private final ByteSource file;
    private final FlatTable root;
    private final Set<String> names = new HashSet<>();
    private long bytes;

    Reading(ByteSource file, FlatTable root) {
      this.file = file;
      this.root = root;
    }

    List<Stored> parameters() {
      FlatTable.Vector references = root.references(AdapterSchema.PARAMETERS);
      List<Stored> all = new ArrayList<>();
      for (int i = 0; i < references.count(); i++) {
        all.add(parameter(root.table(references, i, "parameter " + i)));
      }
      return all;
    }

    private Stored parameter(FlatTable table) {
      FlatTable.Vector text = table.bytes(AdapterSchema.NAME);
      if (text.count() == 0 || text.count() > LONGEST_NAME) {
        throw table.damaged("its name has %d bytes".formatted(text.count()));
      }
      count(table, text.count());
      String name = table.text(AdapterSchema.NAME);
      if (!names.add(name)) {
        throw table.damaged("another parameter is called '%s' as well".formatted(name));
      }
      AdapterParameter parameter = described(table, name);
      FlatTable.Vector data = table.bytes(AdapterSchema.RAW_DATA);
      if (data.count() != parameter.lengthBytes()) {
        throw table.damaged(
            "'%s' %s %s needs %d bytes, but has %d"
                .formatted(
                    name,
                    parameter.shape(),
                    parameter.dtype(),
                    parameter.lengthBytes(),
                    data.count()));
      }
      count(table, data.count());
      return new Stored(parameter, new TensorSource(file.path(), data.at(), data.count()));
    }

    private void count(FlatTable table, long more) {
      bytes += more;
      if (bytes > file.size()) {
        throw table.damaged("the parameters take more bytes than the file has, so they overlap");
      }
    }

    private AdapterParameter described(FlatTable table, String name) {
      int code = table.integer(AdapterSchema.DATA_TYPE, 0);
      DType dtype =
          DType.ofOnnx(code)
              .orElseThrow(() -> table.damaged("'%s' has the data type %d".formatted(name, code)));
      long[] dims = table.longs(AdapterSchema.DIMS, MOST_DIMENSIONS);
      try {
        AdapterParameter parameter = new AdapterParameter(name, dtype, Shape.of(dims));
        if (parameter.lengthBytes() > file.size()) {
          throw table.damaged(
              "'%s' %s %s is longer than the file".formatted(name, parameter.shape(), dtype));
        }
        return parameter;
      } catch (IllegalArgumentException | ArithmeticException e) {
        throw table.damaged("'%s' has an impossible shape: %s".formatted(name, e.getMessage()));
      } catch (UnsupportedException e) {
        throw new UnsupportedException(file.path() + ": " + e.getMessage(), e);
      }
    }
  }
}

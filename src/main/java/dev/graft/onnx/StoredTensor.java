package dev.graft.onnx;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.tensor.TensorSource;
import java.util.Optional;

/**
 * A tensor of the model file: an initializer, or the value of an attribute. Identity matters: two
 * tensors of one name in two graphs are two.
 */
public final class StoredTensor {

  /** How the values are kept. */
  public enum Storage {
    /** In the model file as one run of little-endian bytes. */
    EMBEDDED,
    /** In the model file in typed fields that have to be decoded. */
    TYPED,
    /** In a data file beside the model. */
    EXTERNAL
  }

  private final String label;
  private final TensorProto proto;
  private final MessageSpan span;
  private final Storage storage;
  private final Shape shape;
  private final Optional<TensorSource> source;

  private StoredTensor(
      String label,
      TensorProto proto,
      MessageSpan span,
      Storage storage,
      Optional<TensorSource> source) {
    this.label = label;
    this.proto = proto;
    this.span = span;
    this.storage = storage;
    this.shape = shapeOf(label, proto);
    this.source = source;
  }

  /**
   * Joins a parsed tensor with its place.
   *
   * @param label how messages name it, e.g. the initializer's name or the Constant node's output
   * @param data resolves external locations
   * @throws FormatException if dimensions and data do not agree
   */
  static StoredTensor of(String label, TensorProto proto, MessageSpan span, ExternalData data) {
    TensorPayload payload = span.payload().orElseGet(TensorPayload::none);
    boolean external = proto.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
    if (external) {
      if (payload.encoding() != TensorPayload.Encoding.NONE) {
        throw new FormatException(
            data.model()
                + ": tensor '"
                + label
                + "' has external and embedded data; the file is damaged");
      }
      return external(label, proto, span, data);
    }
    StoredTensor stored =
        switch (payload.encoding()) {
          case RAW, PACKED_FLOAT, NONE ->
              new StoredTensor(
                  label,
                  proto,
                  span,
                  Storage.EMBEDDED,
                  Optional.of(new TensorSource(data.model(), payload.offset(), payload.length())));
          case TYPED -> new StoredTensor(label, proto, span, Storage.TYPED, Optional.empty());
        };
    stored.checkLength();
    return stored;
  }

  private static StoredTensor external(
      String label, TensorProto proto, MessageSpan span, ExternalData data) {
    long bytes = -1;
    Optional<DType> type = DType.ofOnnx(proto.getDataType());
    if (type.isPresent() && type.get() != DType.STRING) {
      bytes = checkedBytes(label, type.get(), shapeOf(label, proto));
    }
    TensorSource source = data.resolve(label, proto, bytes);
    return new StoredTensor(label, proto, span, Storage.EXTERNAL, Optional.of(source));
  }

  /** How messages name the tensor. */
  public String label() {
    return label;
  }

  /** The tensor's own name; may be empty for an attribute's value. */
  public String name() {
    return proto.getName();
  }

  /** The message without its payload. */
  public TensorProto proto() {
    return proto;
  }

  /** Where the message lies in the model file. */
  public MessageSpan span() {
    return span;
  }

  /** How the values are kept. */
  public Storage storage() {
    return storage;
  }

  /** The dimensions. */
  public Shape shape() {
    return shape;
  }

  /** Where the values lie; empty for {@link Storage#TYPED}. */
  public Optional<TensorSource> source() {
    return source;
  }

  /** The element type, empty if ONNX has added one that Graft does not know. */
  public Optional<DType> knownType() {
    return DType.ofOnnx(proto.getDataType());
  }

  /**
   * The element type.
   *
   * @throws UnsupportedException if Graft does not know it
   */
  public DType dtype() {
    return knownType()
        .orElseThrow(() ->
            new UnsupportedException(
                "tensor '%s' has the element type %d, which this version of Graft does not know"
                    .formatted(label, proto.getDataType())));
  }

  /** The number of bytes that type and shape ask for. */
  public long bytes() {
    return checkedBytes(label, dtype(), shape);
  }

  private void checkLength() {
    Optional<DType> type = knownType();
    if (storage != Storage.EMBEDDED || type.isEmpty() || type.get() == DType.STRING) {
      return;
    }
    long found = source.orElseThrow().length();
    long expected = checkedBytes(label, type.get(), shape);
    if (found != expected) {
      throw new FormatException(
          "%s: tensor '%s' has %d bytes of data at byte %d, but shape %s %s needs %d; the file is damaged"
              .formatted(
                  source.orElseThrow().file(),
                  label,
                  found,
                  source.orElseThrow().offset(),
                  shape,
                  type.get(),
                  expected));
    }
  }

  private static long checkedBytes(String label, DType type, Shape shape) {
    try {
      return type.bytes(shape.elements());
    } catch (ArithmeticException e) {
      throw new FormatException(
          "tensor '"
              + label
              + "': shape "
              + shape
              + " is larger than any file; the model is damaged",
          e);
    }
  }

  private static Shape shapeOf(String label, TensorProto proto) {
    long[] dims = new long[proto.getDimsCount()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = proto.getDims(i);
    }
    try {
      return Shape.of(dims);
    } catch (ArithmeticException | IllegalArgumentException e) {
      throw new FormatException(
          "tensor '"
              + label
              + "' has impossible dimensions "
              + proto.getDimsList()
              + ": "
              + e.getMessage(),
          e);
    }
  }
}

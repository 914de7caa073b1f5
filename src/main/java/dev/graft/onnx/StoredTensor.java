package dev.graft.onnx;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.onnx.TensorPayload.Encoding;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.tensor.TensorSource;
import java.nio.file.Path;
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

  private static final int MAX_RANK = 64;

  private final TensorName name;
  private final TensorProto proto;
  private final MessageSpan span;
  private final Shape shape;
  private final Storage storage;
  private final Optional<TensorSource> source;

  /** How messages name a tensor: by its file and label. */
  private record TensorName(Path model, String label) {
    FormatException broken(String how) {
      return new FormatException("%s: tensor '%s' %s".formatted(model, label, how));
    }
  }

  private StoredTensor(TensorName name, TensorProto proto, MessageSpan span, ExternalData data) {
    this.name = name;
    this.proto = proto;
    this.span = span;
    this.shape = shapeOf(name, proto);
    TensorPayload payload = span.payload().orElseGet(TensorPayload::none);
    if (proto.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
      this.storage = Storage.EXTERNAL;
      this.source = Optional.of(external(payload, data));
    } else if (payload.encoding() == Encoding.TYPED) {
      this.storage = Storage.TYPED;
      this.source = Optional.empty();
      expectedBytes();
    } else {
      this.storage = Storage.EMBEDDED;
      this.source = Optional.of(embedded(payload));
    }
  }

  /**
   * Joins a parsed tensor with its place.
   *
   * @param label how messages name it, e.g. the initializer's name or the Constant node's output
   * @param data resolves external locations
   * @throws FormatException if dimensions and data do not agree
   */
  static StoredTensor of(String label, TensorProto proto, MessageSpan span, ExternalData data) {
    return new StoredTensor(new TensorName(data.model(), label), proto, span, data);
  }

  /** How messages name the tensor. */
  public String label() {
    return name.label();
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
                "%s: tensor '%s' has the element type %d, which this version of Graft does not know"
                    .formatted(name.model(), label(), proto.getDataType())));
  }

  /** The number of bytes that type and shape ask for. */
  public long bytes() {
    return bytes(dtype());
  }

  private TensorSource external(TensorPayload payload, ExternalData data) {
    // Some writers leave an empty raw_data behind when they move the bytes out.
    if (payload.encoding() != Encoding.NONE && payload.length() > 0) {
      throw name.broken("has external and embedded data; the file is damaged");
    }
    return data.resolve(label(), proto, expectedBytes());
  }

  private TensorSource embedded(TensorPayload payload) {
    if (payload.encoding() == Encoding.PACKED_FLOAT
        && knownType().filter(t -> t != DType.FLOAT32 && t != DType.COMPLEX64).isPresent()) {
      throw name.broken(
          "keeps values of type %s in float_data, where ONNX has FLOAT32 only; the file is damaged"
              .formatted(dtype()));
    }
    long expected = expectedBytes();
    if (expected >= 0 && payload.length() != expected) {
      throw name.broken(
          "has %d bytes of data at byte %d, but shape %s %s needs %d; the file is damaged"
              .formatted(payload.length(), payload.offset(), shape, dtype(), expected));
    }
    return new TensorSource(name.model(), payload.offset(), payload.length());
  }

  /** The number of bytes that type and shape ask for, -1 where that is not known. */
  private long expectedBytes() {
    return knownType().filter(t -> t != DType.STRING).map(this::bytes).orElse(-1L);
  }

  private long bytes(DType type) {
    try {
      return type.bytes(shape.elements());
    } catch (ArithmeticException e) {
      throw name.broken(
          "has the shape %s, which is larger than any file; the model is damaged".formatted(shape));
    }
  }

  private static Shape shapeOf(TensorName name, TensorProto proto) {
    if (proto.getDimsCount() > MAX_RANK) {
      throw name.broken(
          "has %d dimensions, more than any operator takes; the model is damaged"
              .formatted(proto.getDimsCount()));
    }
    long[] dims = new long[proto.getDimsCount()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = proto.getDims(i);
    }
    try {
      return Shape.of(dims);
    } catch (ArithmeticException | IllegalArgumentException e) {
      throw name.broken(
          "has impossible dimensions %s: %s; the model is damaged"
              .formatted(proto.getDimsList(), e.getMessage()));
    }
  }
}

package dev.graft.onnx;

/**
 * Where the values of an embedded tensor lie.
 *
 * @param encoding how they are written
 * @param offset first byte in the model file; for {@link Encoding#TYPED} that of the whole message
 * @param length number of bytes; 0 for values that are there but empty
 */
record TensorPayload(Encoding encoding, long offset, long length) {

  enum Encoding {
    /** No values at all: the data is external, or the tensor is empty. */
    NONE,
    /** Little-endian bytes in {@code raw_data}. */
    RAW,
    /** One packed run in {@code float_data}: the same bytes as {@code raw_data} would have. */
    PACKED_FLOAT,
    /** Anything else in the typed fields: varints, single elements, several runs. */
    TYPED
  }

  static TensorPayload none() {
    return new TensorPayload(Encoding.NONE, 0, 0);
  }
}

package dev.graft.onnx;

/** New values for a tensor, made while the output is written. Whoever plans the patch knows how. */
public interface TensorContent {

  /** The number of bytes that will be written. */
  long lengthBytes();
}

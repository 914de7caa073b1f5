package dev.graft.onnx;

import dev.graft.error.FormatException;
import dev.graft.io.ByteSource;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/** Files that people give as a model by mistake, told by their first bytes. */
enum OtherFormat {
  EMPTY("the file is empty"),
  SAFETENSORS(
      "it is a safetensors file, weights without a graph; give the .onnx file that was exported"),
  LFS_POINTER("it is the pointer of Git LFS to the model; fetch the model itself (git lfs pull)"),
  ZIP("it is a zip archive, perhaps a PyTorch checkpoint; give the .onnx file that was exported"),
  GGUF("it is a GGUF file; give an .onnx file"),
  TEXT("it begins with plain text");

  private static final int LOOKED_AT = 512;
  private static final int SAFETENSORS_PREFIX = 8;

  private final String words;

  OtherFormat(String words) {
    this.words = words;
  }

  /** What a file is that failed to be ONNX, if it is anything well known. */
  static Optional<OtherFormat> of(ByteSource file) {
    ByteBuffer head = ByteBuffer.allocate((int) Math.min(LOOKED_AT, file.size()));
    file.readFully(MemorySegment.ofBuffer(head), 0);
    head.order(ByteOrder.LITTLE_ENDIAN);
    String latin = StandardCharsets.ISO_8859_1.decode(head.duplicate()).toString();
    if (latin.isEmpty()) {
      return Optional.of(EMPTY);
    }
    if (latin.startsWith("version https://git-lfs")) {
      return Optional.of(LFS_POINTER);
    }
    if (latin.startsWith("PK\3\4")) {
      return Optional.of(ZIP);
    }
    if (latin.startsWith("GGUF")) {
      return Optional.of(GGUF);
    }
    if (latin.length() > SAFETENSORS_PREFIX
        && latin.charAt(SAFETENSORS_PREFIX) == '{'
        && Long.compareUnsigned(head.getLong(0), file.size()) < 0) {
      return Optional.of(SAFETENSORS);
    }
    return latin.chars().allMatch(OtherFormat::isText) ? Optional.of(TEXT) : Optional.empty();
  }

  FormatException refuse(Path file, FormatException cause) {
    return new FormatException(file + ": is not an ONNX model: " + words, cause);
  }

  private static boolean isText(int c) {
    return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t';
  }
}

package dev.graft.onnx;

import dev.graft.tensor.TensorSource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/** Carries out plans in memory, without anything of the package that does it in earnest. */
final class Outputs {

  private Outputs() {}

  /** New values that are known beforehand. */
  static final class Values implements TensorContent {
    private final byte[] bytes;

    Values(byte[] bytes) {
      this.bytes = bytes;
    }

    byte[] bytes() {
      return bytes;
    }

    @Override
    public long lengthBytes() {
      return bytes.length;
    }
  }

  /** New values of which only the length matters. */
  record Length(long lengthBytes) implements TensorContent {}

  /** The plan of the model file itself. */
  static FilePlan model(Map<String, FilePlan> plans) {
    return file(plans, "");
  }

  static FilePlan file(Map<String, FilePlan> plans, String location) {
    return Objects.requireNonNull(plans.get(location), location);
  }

  static byte[] bytes(FilePlan plan, byte[] deferred) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (Piece piece : plan.pieces()) {
      byte[] bytes =
          switch (piece) {
            case Piece.Literal literal -> literal.bytes().toByteArray();
            case Piece.Deferred _ -> deferred;
            case Piece.Produced produced -> ((Values) produced.content()).bytes();
            case Piece.Copied copied -> read(copied);
          };
      if (bytes.length != piece.lengthBytes()) {
        throw new AssertionError(piece + " has " + bytes.length + " bytes");
      }
      out.writeBytes(bytes);
    }
    if (out.size() != plan.lengthBytes()) {
      throw new AssertionError("the plan has " + plan.lengthBytes() + " bytes, not " + out.size());
    }
    return out.toByteArray();
  }

  /** Writes all files of an output into a folder and returns the model's path. */
  static Path write(Map<String, FilePlan> plans, Path folder, byte[] deferred) throws IOException {
    Path model = folder.resolve("out.onnx");
    for (Map.Entry<String, FilePlan> plan : plans.entrySet()) {
      Path file = plan.getKey().isEmpty() ? model : folder.resolve(plan.getKey());
      Files.createDirectories(file.getParent());
      Files.write(file, bytes(plan.getValue(), deferred));
    }
    return model;
  }

  /** The bytes of a tensor's values; of typed values those of the whole message. */
  static byte[] stored(StoredTensor tensor, OnnxModel model) throws IOException {
    if (tensor.storage() == StoredTensor.Storage.TYPED) {
      return FullParse.body(Files.readAllBytes(model.path()), tensor.span());
    }
    TensorSource source = tensor.source().orElseThrow();
    return read(new Piece.Copied(source.file(), source.offset(), source.length()));
  }

  private static byte[] read(Piece.Copied piece) throws IOException {
    byte[] bytes = new byte[Math.toIntExact(piece.lengthBytes())];
    try (RandomAccessFile file = new RandomAccessFile(piece.from().toFile(), "r")) {
      file.seek(piece.offset());
      file.readFully(bytes);
    }
    return bytes;
  }
}

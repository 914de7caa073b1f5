package dev.graft.safetensors;

import dev.graft.error.FormatException;
import dev.graft.io.InputFile;
import dev.graft.safetensors.HeaderReader.Entry;
import dev.graft.safetensors.HeaderReader.Header;
import dev.graft.tensor.TensorSource;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * A safetensors file whose header has been checked from end to end; no data has been read. The
 * checks are those of the format's specification, stricter than its reference reader: no key twice,
 * and the header begins with its brace.
 */
public final class SafetensorsFile {

  private static final int LENGTH_BYTES = 8;
  private static final long MAX_HEADER_BYTES = 100_000_000;

  private final Path path;
  private final SequencedMap<String, SafetensorsTensor> tensors;
  private final SequencedMap<String, String> metadata;

  private SafetensorsFile(
      Path path,
      SequencedMap<String, SafetensorsTensor> tensors,
      SequencedMap<String, String> metadata) {
    this.path = path;
    this.tensors = Collections.unmodifiableSequencedMap(tensors);
    this.metadata = Collections.unmodifiableSequencedMap(metadata);
  }

  /**
   * Reads and checks the header.
   *
   * @throws FormatException if the file is missing, unreadable, or anything about it breaks the
   *     format
   */
  public static SafetensorsFile open(Path path) {
    try (InputFile file = InputFile.open(path)) {
      long size = file.size();
      long headerBytes = headerBytes(file);
      Header header =
          StrictJson.parse(
              path + ": header",
              new FileStream(file, LENGTH_BYTES, headerBytes),
              parser -> HeaderReader.read(path + ": header", parser));
      long dataStart = LENGTH_BYTES + headerBytes;
      SequencedMap<String, SafetensorsTensor> tensors = new LinkedHashMap<>();
      for (Entry e : HeaderLayout.inFileOrder(path + "", header.entries(), size - dataStart)) {
        TensorSource source = new TensorSource(path, dataStart + e.begin(), e.end() - e.begin());
        tensors.put(e.name(), new SafetensorsTensor(e.name(), e.dtype(), e.shape(), source));
      }
      return new SafetensorsFile(path, tensors, header.metadata());
    }
  }

  private static long headerBytes(InputFile file) {
    Path path = file.path();
    long size = file.size();
    if (size < LENGTH_BYTES + 2) {
      throw new FormatException(
          path + ": holds " + size + " bytes, too few for a safetensors file; it is truncated");
    }
    ByteBuffer start = ByteBuffer.allocate(LENGTH_BYTES + 1).order(ByteOrder.LITTLE_ENDIAN);
    file.readFully(start, 0);
    long length = start.getLong(0);
    if (length < 0 || length > MAX_HEADER_BYTES) {
      throw new FormatException(
          path
              + ": bytes 0 to 7 give a header of "
              + Long.toUnsignedString(length)
              + " bytes, but at most "
              + MAX_HEADER_BYTES
              + " are allowed; this is probably no safetensors file");
    }
    if (length > size - LENGTH_BYTES) {
      throw new FormatException(
          path
              + ": the header should take "
              + length
              + " bytes, but only "
              + (size - LENGTH_BYTES)
              + " follow its length; the file is truncated");
    }
    if (length < 2 || start.get(LENGTH_BYTES) != '{') {
      throw new FormatException(path + ": the header at byte 8 must begin with '{'");
    }
    return length;
  }

  /** The file as it was given to {@link #open}. */
  public Path path() {
    return path;
  }

  /** All tensors by name, in the order of their bytes. */
  public SequencedMap<String, SafetensorsTensor> tensors() {
    return tensors;
  }

  /** The tensor of that name. */
  public Optional<SafetensorsTensor> tensor(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /**
   * The free-form strings of {@code __metadata__}, in the order of the header; empty where there is
   * none.
   */
  public SequencedMap<String, String> metadata() {
    return metadata;
  }
}

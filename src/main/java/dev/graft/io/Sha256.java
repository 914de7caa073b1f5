package dev.graft.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A running SHA-256. One instance serves one thread. */
public final class Sha256 {

  /** Small enough to stay in the second-level cache between reading and hashing. */
  private static final int STEP = 1 << 18;

  /**
   * Bytes go to the digest in small pieces on purpose: only when the method that calls the block
   * loop has been called often does the compiler put the processor's own SHA instructions in place
   * of the whole loop; until then they do a block at a time, at a third of the speed.
   */
  private static final int PIECE = 1 << 12;

  private final MessageDigest digest;

  /** Native bytes on their way to the digest. */
  private final byte[] heap = new byte[PIECE];

  /** Begins with no bytes. */
  public Sha256() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  /** Adds all bytes of a segment. */
  public void update(MemorySegment bytes) {
    for (long done = 0; done < bytes.byteSize(); done += PIECE) {
      int count = (int) Math.min(PIECE, bytes.byteSize() - done);
      MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, done, heap, 0, count);
      digest.update(heap, 0, count);
    }
  }

  /** Adds {@code count} bytes from an offset on. */
  public void update(byte[] bytes, int offset, int count) {
    for (int done = 0; done < count; done += PIECE) {
      digest.update(bytes, offset + done, Math.min(PIECE, count - done));
    }
  }

  /**
   * Adds a byte range, read in small steps.
   *
   * @param offset first byte
   * @param length number of bytes
   * @throws dev.graft.error.FormatException if the file ends before the range
   */
  public void update(ByteSource file, long offset, long length, Progress progress) {
    MemorySegment block = MemorySegment.ofArray(new byte[(int) Math.min(STEP, length)]);
    for (long done = 0; done < length; done += STEP) {
      MemorySegment part = block.asSlice(0, Math.min(STEP, length - done));
      file.readFully(part, offset + done);
      update(part);
      progress.advance(part.byteSize());
    }
  }

  /**
   * The hash of all bytes so far as 64 lower-case hexadecimal digits; begins anew with no bytes.
   */
  public String hex() {
    return HexFormat.of().formatHex(digest.digest());
  }

  /** The hash of a whole file. */
  public static String of(ByteSource file, Progress progress) {
    return of(file, 0, file.size(), progress);
  }

  /**
   * The hash of a byte range, read in small steps.
   *
   * @param offset first byte
   * @param length number of bytes
   * @throws dev.graft.error.FormatException if the file ends before the range
   */
  public static String of(ByteSource file, long offset, long length, Progress progress) {
    Sha256 hash = new Sha256();
    hash.update(file, offset, length, progress);
    return hash.hex();
  }
}

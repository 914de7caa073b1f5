package dev.graft.io;

import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A running SHA-256. One instance serves one thread. */
public final class Sha256 {

  /** Small enough to stay in the second-level cache between reading and hashing. */
  private static final int STEP = 1 << 18;

  private final MessageDigest digest;

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
    for (long done = 0; done < bytes.byteSize(); done += STEP) {
      digest.update(bytes.asSlice(done, Math.min(STEP, bytes.byteSize() - done)).asByteBuffer());
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
    byte[] block = new byte[(int) Math.min(STEP, length)];
    for (long done = 0; done < length; done += STEP) {
      int count = (int) Math.min(STEP, length - done);
      file.readFully(MemorySegment.ofArray(block).asSlice(0, count), offset + done);
      hash.digest.update(block, 0, count);
      progress.advance(count);
    }
    return hash.hex();
  }
}

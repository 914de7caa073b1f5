package dev.graft.undo;

import java.io.ByteArrayOutputStream;
import java.util.zip.Deflater;

/** Deflates runs of a record; {@link RecordReader#inflate} is the way back. */
public final class RunDeflater {

  private static final int STEP = 1 << 14;

  private RunDeflater() {}

  /** Deflates the first {@code count} bytes. */
  public static byte[] deflated(byte[] bytes, int count) {
    try (Deflater deflater = new Deflater(Deflater.BEST_SPEED)) {
      deflater.setInput(bytes, 0, count);
      deflater.finish();
      ByteArrayOutputStream stored = new ByteArrayOutputStream();
      byte[] step = new byte[STEP];
      while (!deflater.finished()) {
        stored.write(step, 0, deflater.deflate(step));
      }
      return stored.toByteArray();
    }
  }
}

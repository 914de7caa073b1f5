package dev.graft.safetensors;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Puts safetensors files together byte by byte, wrong ones too. */
public final class SafetensorsBytes {

  private SafetensorsBytes() {}

  /** A file with this header text, its true length, and so many bytes of data. */
  public static byte[] of(String header, int dataBytes) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    return of(json.length, json, new byte[dataBytes]);
  }

  /** A file with a header length of one's own choosing. */
  public static byte[] of(long headerLength, byte[] header, byte[] data) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(
        ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(0, headerLength).array());
    out.writeBytes(header);
    out.writeBytes(data);
    return out.toByteArray();
  }

  /** The entry of one tensor. */
  public static String entry(String name, String dtypeAndShape, long begin, long end) {
    String[] parts = dtypeAndShape.split(" ", 2);
    return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
        .formatted(name, parts[0], parts[1], begin, end);
  }

  /** A sound file of F32 tensors, all elements 0.5; each spec is {@code name [dims]}. */
  public static byte[] float32(String... specs) {
    List<String> entries = new ArrayList<>();
    int at = 0;
    for (String spec : specs) {
      String[] parts = spec.split(" ", 2);
      int bytes = 4;
      for (String dim : parts[1].replaceAll("[\\[\\] ]", "").split(",", -1)) {
        bytes *= dim.isEmpty() ? 1 : Integer.parseInt(dim);
      }
      entries.add(entry(parts[0], "F32 " + parts[1], at, at + bytes));
      at += bytes;
    }
    ByteBuffer data = ByteBuffer.allocate(at).order(ByteOrder.LITTLE_ENDIAN);
    while (data.hasRemaining()) {
      data.putFloat(0.5f);
    }
    byte[] header = ("{" + String.join(",", entries) + "}").getBytes(StandardCharsets.UTF_8);
    return of(header.length, header, data.array());
  }

  /** Writes the bytes to a file and returns it. */
  public static Path write(Path file, byte[] bytes) {
    try {
      return Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

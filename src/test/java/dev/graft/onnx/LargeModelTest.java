package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.error.GraftException;
import dev.graft.io.InputFile;
import dev.graft.onnx.proto.GraphProto;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files far larger than the heap, in a JVM of their own. What has no content takes no disk. */
class LargeModelTest {

  private static final long GB = 1L << 30;

  @TempDir Path folder;

  /**
   * What the other JVM does: opens a model, plans a patch of its first tensor, says what it saw.
   */
  static final class Opening {
    private Opening() {}

    public static void main(String[] args) throws IOException {
      try {
        Path path = Path.of(args[0]);
        OnnxModel model = OnnxModel.open(path);
        StoredTensor first = model.tensors().getFirst();
        try (InputFile file = InputFile.open(path)) {
          ModelPatch patch = new ModelPatch(model, file);
          patch.replaceValues(first, new Outputs.Length(first.bytes()));
          if (first.storage() == StoredTensor.Storage.TYPED) {
            TypedValues.decode(first, file);
          }
          patch.appendMetadata("key", 10);
          patch.plan(Map.of());
        }
        System.out.println("tensors " + model.tensors().size() + " bytes " + first.bytes());
        System.out.println("read " + bytesRead());
      } catch (GraftException e) {
        System.out.println(e.getClass().getSimpleName() + " " + e.getMessage());
      }
    }

    /** What this process has read so far, where the system says so. */
    private static long bytesRead() throws IOException {
      Path counters = Path.of("/proc/self/io");
      return Files.isReadable(counters)
          ? Long.parseLong(Files.readAllLines(counters).getFirst().replace("rchar: ", ""))
          : 0;
    }
  }

  @Test
  void refusesAHundredMegabytesOfGarbageInASmallHeap() throws IOException, InterruptedException {
    byte[] numbers = new byte[1 << 20];
    Arrays.fill(numbers, (byte) 0x08);
    Path path = folder.resolve("m.onnx");
    try (OutputStream out = Files.newOutputStream(path)) {
      for (int i = 0; i < 100; i++) {
        out.write(numbers);
      }
    }
    assertThat(open(path)).startsWith("UnsupportedException " + path + ": holds too much");
  }

  @Test
  void refusesAFewTypedValuesThatClaimToBeManyBeforeMakingRoom()
      throws IOException, InterruptedException {
    byte[] tensor = Wire.join(Wire.varint(1, 16 << 20), Wire.varint(2, 1), Wire.fixed32(4, 0));
    Path path = Files.write(folder.resolve("m.onnx"), Wire.modelWithTensor(tensor));
    assertThat(open(path)).startsWith("FormatException ").contains("has fewer values");
  }

  @Test
  void opensAndPatchesAnEmbeddedTensorOfTwoGigabytesWithoutReadingIt()
      throws IOException, InterruptedException {
    Path path = embedded(2 * GB - 1000);
    String printed = open(path);
    assertThat(printed).startsWith("tensors 1 bytes " + (2 * GB - 1000));
    assertThat(readBy(printed)).isLessThan(64 << 20);
  }

  @Test
  void saysThatAModelFileIsOverTwoGigabytes() throws IOException, InterruptedException {
    assertThat(open(embedded(5 * GB)))
        .startsWith("UnsupportedException ")
        .contains("the output would have 5,368,709,", "end at 2 GB");
  }

  @Test
  void opensAndPatchesDataFilesOfManyGigabytes() throws IOException, InterruptedException {
    GraphProto.Builder graph = GraphProto.newBuilder();
    for (int i = 0; i < 12; i++) {
      graph.addInitializer(Protos.external("w" + i, 1 << 28, "m.data", i * GB + i));
    }
    try (RandomAccessFile data = new RandomAccessFile(folder.resolve("m.data").toFile(), "rw")) {
      data.setLength(12 * GB + 11);
    }
    Path path = Files.write(folder.resolve("m.onnx"), Protos.model(graph).toByteArray());
    assertThat(open(path)).startsWith("tensors 12 bytes " + GB);
  }

  /** A model with one embedded tensor of so many bytes. */
  private Path embedded(long bytes) throws IOException {
    byte[] head =
        Wire.join(
            Wire.varint(1, bytes), Wire.varint(2, 3), Wire.raw((9 << 3) | 2), Wire.number(bytes));
    byte[] tensor = Wire.join(Wire.raw((5 << 3) | 2), Wire.number(head.length + bytes), head);
    byte[] start = Wire.join(Wire.raw((7 << 3) | 2), Wire.number(tensor.length + bytes), tensor);
    Path path = Files.write(folder.resolve("m.onnx"), start);
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(start.length + bytes);
    }
    return path;
  }

  private static long readBy(String printed) {
    return Long.parseLong(printed.strip().replaceAll("(?s).*read ", ""));
  }

  private static String open(Path path) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx32m",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Opening.class.getName(),
                    path.toString()))
            .redirectErrorStream(true)
            .start();
    process.getOutputStream().close();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return printed;
  }
}

package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.graft.error.UnsupportedException;
import dev.graft.io.InputFile;
import dev.graft.onnx.proto.ModelProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SkeletonBufferTest {

  @TempDir Path folder;

  @Test
  void refusesMoreThanTheBudget() throws IOException {
    Path path = Files.write(folder.resolve("m"), new byte[4000]);
    try (InputFile file = InputFile.open(path)) {
      SkeletonBuffer buffer = new SkeletonBuffer(new ScanBudget(path, 8 * 1000));
      WireCursor cursor = new WireCursor(file);
      buffer.copy(cursor, 0, 1000);
      assertThatThrownBy(() -> buffer.copy(cursor, 1000, 1001))
          .isInstanceOf(UnsupportedException.class);
    }
  }

  @Test
  void letsProtobufRefuseWhatIsNoModel() throws IOException {
    Path path = Files.write(folder.resolve("m"), Wire.raw(0x0a, 9));
    try (InputFile file = InputFile.open(path)) {
      SkeletonBuffer buffer = new SkeletonBuffer(new ScanBudget(path, 1 << 20));
      buffer.copy(new WireCursor(file), 0, 2);
      assertThatThrownBy(buffer::parse).isInstanceOf(InvalidProtocolBufferException.class);
    }
  }

  @Test
  void fillsInTheLengthsOfNestedMessages() throws IOException {
    String name = "n".repeat(300);
    byte[] bytes = Wire.join(Wire.string(2, name), Wire.varint(1, 7));
    Path path = Files.write(folder.resolve("m"), Wire.join(Wire.raw((7 << 3) | 2), bytes));
    try (InputFile file = InputFile.open(path)) {
      SkeletonBuffer buffer = new SkeletonBuffer(new ScanBudget(path, 1 << 20));
      WireCursor cursor = new WireCursor(file);
      buffer.copy(cursor, 0, 1);
      int prefix = buffer.reserve();
      buffer.copy(cursor, 1, 1 + bytes.length - 2);
      buffer.close(prefix);
      buffer.copy(cursor, 1 + bytes.length - 2, 1 + bytes.length);
      ModelProto model = buffer.parse();
      assertThat(model.getGraph().getName()).isEqualTo(name);
      assertThat(model.getIrVersion()).isEqualTo(7);
    }
  }
}

package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.onnx.Outputs.Values;
import dev.graft.tensor.TensorSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFilePatchTest {

  @TempDir Path folder;

  @Test
  void refusesOverlappingChanges() {
    DataFilePatch patch = new DataFilePatch(Path.of("d"), 20);
    patch.replace(new TensorSource(Path.of("d"), 4, 8), new Values(new byte[8]));
    patch.replace(new TensorSource(Path.of("d"), 0, 5), new Values(new byte[5]));
    assertThatThrownBy(patch::plan)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("two changes overlap at byte 4");
  }

  @Test
  void replacesRangesAndKeepsEverythingElse() throws IOException {
    Path file = Files.write(folder.resolve("d"), Wire.raw(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
    DataFilePatch patch = new DataFilePatch(file, 10);
    patch.replace(new TensorSource(file, 7, 2), new Values(Wire.raw(77, 88)));
    patch.replace(new TensorSource(file, 0, 3), new Values(Wire.raw(10, 11, 12)));
    patch.replace(new TensorSource(file, 3, 1), new Values(Wire.raw(33)));
    assertThat(Outputs.bytes(patch.plan(), new byte[0]))
        .isEqualTo(Wire.raw(10, 11, 12, 33, 4, 5, 6, 77, 88, 9));
  }

  @Test
  void appendsAtPageBoundaries() throws IOException {
    Path file = Files.write(folder.resolve("d"), new byte[4097]);
    DataFilePatch patch = new DataFilePatch(file, 4097);
    assertThat(patch.append(new Values(Wire.raw(1)))).isEqualTo(8192);
    assertThat(patch.append(new Values(new byte[4096]))).isEqualTo(12288);
    assertThat(patch.append(new Values(Wire.raw(2)))).isEqualTo(16384);
    byte[] out = Outputs.bytes(patch.plan(), new byte[0]);
    assertThat(out).hasSize(16385);
    assertThat(out[8192]).isEqualTo((byte) 1);
    assertThat(out[16384]).isEqualTo((byte) 2);
  }
}

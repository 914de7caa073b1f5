package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.onnx.StoredTensor.Storage;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.tensor.TensorSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StoredTensorTest {

  private static final byte[] FLOAT32 = Wire.varint(2, 1);
  private static final byte[] NAME = Wire.string(8, "w");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, -4096})
  void refusesNegativeDimensions(long dim) {
    refuses("has impossible dimensions [" + dim + "]", Wire.varint(1, dim), FLOAT32);
  }

  @Test
  void refusesShapesWhoseProductOverflows() {
    byte[] large = Wire.varint(1, 1L << 62);
    refuses("has impossible dimensions", large, large, FLOAT32);
    refuses("larger than any file", large, FLOAT32);
    refuses("larger than any file", large, FLOAT32, Wire.fixed32(4, 0));
    refuses(
        "larger than any file",
        large,
        FLOAT32,
        Wire.varint(14, 1),
        Wire.message(13, Wire.string(1, "location"), Wire.string(2, "d")));
  }

  @Test
  void refusesDataThatDoesNotFitTheShape() {
    refuses(
        "has 8 bytes of data at byte 15, but shape [3] FLOAT32 needs 12",
        Wire.varint(1, 3),
        FLOAT32,
        NAME,
        Wire.message(9, new byte[8]));
    refuses("has 16 bytes of data", Wire.varint(1, 3), FLOAT32, Wire.message(9, new byte[16]));
    refuses("has 8 bytes of data", Wire.varint(1, 3), FLOAT32, Wire.message(4, new byte[8]));
    refuses("has 0 bytes of data", Wire.varint(1, 3), FLOAT32);
    byte[] int4 = Wire.varint(2, 22);
    refuses("has 3 bytes of data", Wire.varint(1, 3), int4, Wire.message(9, Wire.raw(1, 2, 3)));
  }

  @Test
  void refusesFloatDataOfAnotherType() {
    refuses(
        "keeps values of type BFLOAT16 in float_data",
        Wire.varint(1, 2),
        Wire.varint(2, 16),
        Wire.message(4, new byte[4]));
  }

  @Test
  void refusesExternalAndEmbeddedDataTogether() {
    refuses(
        "has external and embedded data",
        Wire.varint(1, 1),
        FLOAT32,
        Wire.message(9, new byte[4]),
        Wire.varint(14, 1),
        Wire.message(13, Wire.string(1, "location"), Wire.string(2, "d")));
  }

  @Test
  void refusesToNameATypeThatItDoesNotKnow() throws IOException {
    StoredTensor tensor = only(Wire.varint(2, 99), NAME, Wire.message(9, new byte[3]));
    assertThat(tensor.knownType()).isEmpty();
    assertThatThrownBy(tensor::dtype)
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("m.onnx: tensor 'w' has the element type 99");
  }

  @Test
  void readsRawDataAndPackedFloatsAsOneRange() throws IOException {
    for (int field : new int[] {9, 4}) {
      StoredTensor tensor =
          only(Wire.varint(1, 3), FLOAT32, NAME, Wire.message(field, Wire.floats(1, 2, 3)));
      assertThat(tensor.storage()).isEqualTo(Storage.EMBEDDED);
      assertThat(tensor.shape()).isEqualTo(Shape.of(3));
      assertThat(tensor.dtype()).isEqualTo(DType.FLOAT32);
      assertThat(tensor.bytes()).isEqualTo(12);
      assertThat(tensor.name()).isEqualTo("w");
      TensorSource source = tensor.source().orElseThrow();
      byte[] file = Files.readAllBytes(source.file());
      assertThat(Arrays.copyOfRange(file, (int) source.offset(), (int) source.end()))
          .isEqualTo(Wire.floats(1, 2, 3));
    }
  }

  @Test
  void readsAnythingElseAsTyped() throws IOException {
    StoredTensor tensor = only(Wire.varint(1, 1), FLOAT32, Wire.fixed32(4, 0));
    assertThat(tensor.storage()).isEqualTo(Storage.TYPED);
    assertThat(tensor.source()).isEmpty();
    assertThat(tensor.bytes()).isEqualTo(4);
  }

  @Test
  void readsEmptyTensorsScalarsAndPackedDimensions() throws IOException {
    assertThat(only(Wire.varint(1, 0), FLOAT32).source().orElseThrow().length()).isZero();
    assertThat(only(FLOAT32, Wire.message(9, new byte[4])).shape()).isEqualTo(Shape.of());
    StoredTensor packed =
        only(Wire.message(1, Wire.raw(2, 3)), FLOAT32, Wire.message(9, new byte[24]));
    assertThat(packed.shape()).isEqualTo(Shape.of(2, 3));
  }

  @Test
  void readsTypesSmallerThanAByteRoundedUp() throws IOException {
    StoredTensor tensor =
        only(Wire.varint(1, 3), Wire.varint(2, 22), Wire.message(9, Wire.raw(1, 2)));
    assertThat(tensor.bytes()).isEqualTo(2);
  }

  @Test
  void allowsAnEmptyRawDataBesideExternalData() throws IOException {
    Files.write(folder.resolve("d"), new byte[4]);
    StoredTensor tensor =
        only(
            Wire.varint(1, 1),
            FLOAT32,
            Wire.message(9),
            Wire.varint(14, 1),
            Wire.message(13, Wire.string(1, "location"), Wire.string(2, "d")));
    assertThat(tensor.storage()).isEqualTo(Storage.EXTERNAL);
  }

  private void refuses(String message, byte[]... fields) {
    assertThatThrownBy(() -> only(Wire.join(fields), NAME))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("m.onnx: tensor 'w' ")
        .hasMessageContaining(message);
  }

  private StoredTensor only(byte[]... fields) throws IOException {
    Path path = Files.write(folder.resolve("m.onnx"), Wire.modelWithTensor(fields));
    return OnnxModel.open(path).tensors().getFirst();
  }
}

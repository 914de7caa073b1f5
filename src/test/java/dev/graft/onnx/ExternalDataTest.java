package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.TensorSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExternalDataTest {

  @TempDir Path outside;

  private Path folder;

  @BeforeEach
  void dataFile() throws IOException {
    folder = Files.createDirectory(outside.resolve("model"));
    Files.write(folder.resolve("w.data"), new byte[100]);
    Files.write(outside.resolve("secret"), new byte[100]);
  }

  @ParameterizedTest
  @CsvSource({
    "../secret, climb",
    "sub/../../secret, climb",
    "/etc/passwd, absolute",
    "C:/windows/x, absolute",
    "'', empty",
    "'sub\\w.data', backslash",
    "., folder",
    "missing.data, there is no such file",
  })
  void refusesLocationsThatLeadElsewhere(String location, String why) {
    refuses(entries("location", location), "external data location '" + location + "'", why);
  }

  @Test
  void refusesALinkADirectoryAndASecondName() throws IOException {
    Files.createSymbolicLink(folder.resolve("link"), outside.resolve("secret"));
    Files.createDirectory(folder.resolve("sub"));
    Files.createLink(folder.resolve("hard"), outside.resolve("secret"));
    refuses(entries("location", "link"), "'link'", "symbolic link");
    refuses(entries("location", "sub"), "'sub'", "not a regular file");
    refuses(entries("location", "hard"), "'hard'", "hard links");
  }

  @Test
  void refusesATensorWithoutALocation() {
    refuses(entries(), "is external but names no location");
    refuses(entries("offset", "0"), "is external but names no location");
  }

  @Test
  void refusesUnknownAndRepeatedKeys() {
    refuses(
        entries("location", "w.data", "__class__", "x"),
        "the unknown external-data key '__class__'");
    refuses(
        entries("location", "w.data", "location", "w.data"), "external-data key 'location' twice");
    refuses(
        entries("location", "w.data", "offset", "0", "offset", "4"),
        "external-data key 'offset' twice");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "", " 4", "4.0", "0x10", "９", "9999999999999999999"})
  void refusesWhatIsNoNumberOfBytes(String text) {
    refuses(
        entries("location", "w.data", "offset", text),
        "offset '" + text + "', which is not a number");
    refuses(
        entries("location", "w.data", "length", text),
        "length '" + text + "', which is not a number");
  }

  @Test
  void refusesALengthThatDoesNotFitTheShape() {
    refuses(
        entries("location", "w.data", "length", "44"),
        "declares 44 bytes of external data in 'w.data', but its shape and type need 40");
  }

  @Test
  void refusesARangeBehindTheEndOfTheFile() {
    for (String offset : new String[] {"61", "100", "101", "999999999999999999"}) {
      refuses(
          entries("location", "w.data", "offset", offset),
          "needs 40 bytes at offset " + offset + " of 'w.data', which has 100 bytes");
    }
  }

  @Test
  void refusesATypeWithoutSizeBehindTheEndOfTheFile() {
    TensorProto.Builder unknown = entries("location", "w.data", "offset", "101").setDataType(99);
    refuses(unknown, "needs 0 bytes at offset 101 of 'w.data'");
  }

  @Test
  void takesOffsetZeroAndTheShapesLengthWhereTheyAreMissing() throws IOException {
    assertThat(source(entries("location", "w.data")))
        .isEqualTo(new TensorSource(folder.toRealPath().resolve("w.data"), 0, 40));
  }

  @Test
  void takesTheRestOfTheFileForATypeWithoutSize() throws IOException {
    assertThat(source(entries("location", "w.data", "offset", "33").setDataType(99)).length())
        .isEqualTo(67);
  }

  @Test
  void readsUnalignedOffsetsAndIgnoresTheChecksum() throws IOException {
    TensorSource source =
        source(entries("checksum", "abc", "length", "40", "offset", "059", "location", "./w.data"));
    assertThat(source.offset()).isEqualTo(59);
    assertThat(source.end()).isEqualTo(99);
  }

  @Test
  void findsSeveralFilesInTheOrderOfTheirFirstUse() throws IOException {
    Files.createDirectory(folder.resolve("sub"));
    Files.write(folder.resolve("sub/v.data"), new byte[40]);
    OnnxModel model =
        open(
            entries("location", "sub/v.data").setName("v"),
            entries("location", "w.data", "offset", "3"),
            entries("location", "./w.data", "offset", "5"),
            entries("location", "sub/v.data"));
    assertThat(model.dataFiles().sequencedKeySet())
        .containsExactly("sub/v.data", "w.data", "./w.data");
    assertThat(model.dataFiles().get("w.data")).isEqualTo(model.dataFiles().get("./w.data"));
    assertThat(model.openSource(Objects.requireNonNull(model.dataFiles().get("w.data"))).size())
        .isEqualTo(100);
  }

  private void refuses(TensorProto.Builder tensor, String... words) {
    assertThatThrownBy(() -> open(tensor))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(folder.resolve("m.onnx") + ": tensor 'w'")
        .hasMessageContainingAll(words);
  }

  private TensorSource source(TensorProto.Builder tensor) throws IOException {
    return open(tensor).tensors().getFirst().source().orElseThrow();
  }

  private OnnxModel open(TensorProto.Builder... tensors) throws IOException {
    GraphProto.Builder graph = GraphProto.newBuilder();
    for (TensorProto.Builder tensor : tensors) {
      graph.addInitializer(tensor);
    }
    Path path = folder.resolve("m.onnx");
    Files.write(path, Protos.model(graph).toByteArray());
    return OnnxModel.open(path);
  }

  /** Ten external floats. */
  private static TensorProto.Builder entries(String... keysAndValues) {
    TensorProto.Builder tensor =
        TensorProto.newBuilder()
            .setName("w")
            .setDataType(1)
            .addDims(10)
            .setDataLocation(TensorProto.DataLocation.EXTERNAL);
    for (int i = 0; i < keysAndValues.length; i += 2) {
      tensor.addExternalData(Protos.entry(keysAndValues[i], keysAndValues[i + 1]));
    }
    return tensor;
  }
}

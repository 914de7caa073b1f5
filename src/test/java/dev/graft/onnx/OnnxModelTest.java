package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.GraftException;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxModelTest {

  @TempDir Path folder;

  @Test
  void refusesAModelCutOffAnywhere() throws IOException {
    byte[] whole = SampleModel.write(folder).toByteArray();
    for (int length = 0; length < whole.length; length++) {
      opensOrRefuses(Arrays.copyOf(whole, length), "cut to " + length);
    }
  }

  @Test
  void refusesOrReadsAModelWithABitFlippedInAnyByte() throws IOException {
    byte[] whole = SampleModel.write(folder).toByteArray();
    for (int at = 0; at < whole.length; at++) {
      int bit = at * 5 % 8;
      byte[] flipped = whole.clone();
      flipped[at] ^= (byte) (1 << bit);
      opensOrRefuses(flipped, "byte " + at + " bit " + bit);
    }
  }

  @Test
  void refusesADataFileThatBecameALinkAfterOpening() throws IOException {
    SampleModel.write(folder);
    OnnxModel model = OnnxModel.open(folder.resolve("m.onnx"));
    Path data = folder.resolve(SampleModel.DATA);
    Files.move(data, folder.resolve("elsewhere"));
    Files.createSymbolicLink(data, folder.resolve("elsewhere"));
    Path source = Objects.requireNonNull(model.dataFiles().get(SampleModel.DATA));
    assertThatThrownBy(() -> model.openSource(source))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("symbolic link");
  }

  @Test
  void opensNoFileThatIsNotItsOwn() throws IOException {
    SampleModel.write(folder);
    OnnxModel model = OnnxModel.open(folder.resolve("m.onnx"));
    Path other = Files.write(folder.resolve("other"), new byte[4]);
    assertThatThrownBy(() -> model.openSource(other)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void listsEveryTensorWithTheBytesOfItsOwnMessage() throws IOException {
    ModelProto proto = SampleModel.write(folder);
    OnnxModel model = OnnxModel.open(folder.resolve("m.onnx"));
    FullParse.agrees(model, proto);
  }

  @Test
  void joinsNodesSubgraphsFunctionsAndTensorsWithTheirNames() throws IOException {
    SampleModel.write(folder);
    OnnxModel model = OnnxModel.open(folder.resolve("m.onnx"));
    NodePart loop = model.graph().nodes().get(1);
    assertThat(loop.subgraphs()).hasSize(2);
    assertThat(loop.subgraphs().get(1).initializers().getFirst().label()).isEqualTo("listed");
    assertThat(loop.tensors()).containsOnlyKeys("pair");
    NodePart constant = model.graph().nodes().getFirst();
    assertThat(constant.tensors())
        .hasEntrySatisfying("value", t -> assertThat(t.label()).isEqualTo("c"));
    assertThat(model.functions().getFirst().nodes().getFirst().tensors()).containsOnlyKeys("value");
    assertThat(labels(model))
        .containsSubsequence("c", "inner", "loop", "loop", "listed", "embedded", "far", "typed")
        .contains("sparse", "sparse (indices)", "k", "default", "train");
  }

  @Test
  void knowsItsFilesAndTheLastValueOfEachMetadataKey() throws IOException {
    SampleModel.write(folder);
    Path path = folder.resolve("m.onnx");
    OnnxModel model = OnnxModel.open(path);
    assertThat(model.path()).isEqualTo(path);
    assertThat(model.fileLength()).isEqualTo(Files.size(path));
    assertThat(model.dataFiles()).containsOnlyKeys(SampleModel.DATA);
    assertThat(model.metadata()).containsEntry("key", "last").hasSize(1);
    assertThat(model.openSource(path).path()).isEqualTo(path);
  }

  @Test
  void indexesManySparseInitializersInLinearTime() throws IOException {
    GraphProto.Builder graph = GraphProto.newBuilder();
    for (int i = 0; i < 60_000; i++) {
      graph.addSparseInitializerBuilder().setValues(Protos.embedded("s" + i, 1));
    }
    Path path = Files.write(folder.resolve("m.onnx"), Protos.model(graph).toByteArray());
    assertThat(OnnxModel.open(path).tensors()).hasSize(60_000);
  }

  private static List<String> labels(OnnxModel model) {
    return model.tensors().stream().map(StoredTensor::label).toList();
  }

  private void opensOrRefuses(byte[] bytes, String which) throws IOException {
    Path path = Files.write(folder.resolve("m.onnx"), bytes);
    try {
      OnnxModel.open(path);
    } catch (GraftException e) {
      assertThat(e.getMessage()).as(which).startsWith(path.toString());
    } catch (RuntimeException | Error e) {
      throw new AssertionError(which, e);
    }
  }
}

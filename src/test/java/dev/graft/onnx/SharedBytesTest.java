package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.UnsupportedException;
import dev.graft.onnx.proto.GraphProto;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SharedBytesTest {

  @TempDir Path folder;

  @Test
  void refusesToChangeATensorThatLiesWhereAnotherDoes() throws IOException {
    OnnxModel model = model(10, 0, 10, 0);
    refuses(model, 0);
    refuses(model, 1);
  }

  @Test
  void refusesToChangeAnyOfTwoThatOverlap() throws IOException {
    OnnxModel model = model(10, 40, 10, 4, 2, 200);
    refuses(model, 0);
    refuses(model, 1);
    allows(model, 2);
  }

  @Test
  void findsATensorInsideALargeOneBehindSmallerOnes() throws IOException {
    OnnxModel model = model(90, 0, 2, 20, 2, 40, 2, 60);
    refuses(model, 0);
    refuses(model, 1);
    refuses(model, 3);
  }

  @Test
  void findsAnOverlapThatReachesFurtherThanItsNeighbours() throws IOException {
    OnnxModel model = model(10, 0, 50, 20, 2, 24, 2, 180);
    refuses(model, 0);
    refuses(model, 2);
    refuses(model, 3);
  }

  @Test
  void allowsNeighboursEmptyTensorsAndOverlapsElsewhere() throws IOException {
    OnnxModel model = model(10, 0, 10, 40, 0, 20, 10, 100, 10, 100);
    allows(model, 0);
    allows(model, 1);
  }

  @Test
  void findsTwoLocationsThatMeanOneFile() throws IOException {
    Files.write(folder.resolve("d"), new byte[400]);
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .addInitializer(Protos.external("a", 4, "d", 0))
            .addInitializer(Protos.external("b", 4, "./d", 12));
    Path path = Files.write(folder.resolve("m.onnx"), Protos.model(graph).toByteArray());
    refuses(OnnxModel.open(path), 1);
  }

  private void refuses(OnnxModel model, int changed) {
    assertThatThrownBy(() -> SharedBytes.requireNone(model, Set.of(model.tensors().get(changed))))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContainingAll("m.onnx: tensors", "share bytes of");
  }

  private static void allows(OnnxModel model, int changed) {
    assertThatCode(() -> SharedBytes.requireNone(model, Set.of(model.tensors().get(changed))))
        .doesNotThrowAnyException();
  }

  /** Tensors of so many floats at such an offset. */
  private OnnxModel model(int... elementsAndOffsets) throws IOException {
    Files.write(folder.resolve("d"), new byte[400]);
    GraphProto.Builder graph = GraphProto.newBuilder();
    for (int i = 0; i < elementsAndOffsets.length; i += 2) {
      graph.addInitializer(
          Protos.external("t" + i, elementsAndOffsets[i], "d", elementsAndOffsets[i + 1]));
    }
    Path path = Files.write(folder.resolve("m.onnx"), Protos.model(graph).toByteArray());
    return OnnxModel.open(path);
  }
}

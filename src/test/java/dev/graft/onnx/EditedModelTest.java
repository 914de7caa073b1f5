package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.GraphEdit.InsertNodes;
import dev.graft.onnx.GraphEdit.Keeping;
import dev.graft.onnx.GraphEdit.RemoveNode;
import dev.graft.onnx.GraphEdit.ReplaceTensor;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.Outputs.Length;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the edits mean, spelled out; the tests of the patch hold the file against it. */
class EditedModelTest {

  @TempDir Path folder;

  private OnnxModel base;

  @BeforeEach
  void sample() throws IOException {
    SampleModel.write(folder);
    base = OnnxModel.open(folder.resolve("m.onnx"));
  }

  @Test
  void isTheBaseWithoutEdits() {
    assertThat(EditedModel.of(base, List.of())).isEqualTo(base.proto());
  }

  @Test
  void leavesOutTheValuesOfNewAndReplacedTensorsOnly() {
    StoredTensor typed = tensor("typed");
    StoredTensor far = tensor("far");
    StoredTensor inner = tensor("inner");
    ModelProto edited =
        EditedModel.of(
            base,
            List.of(
                new ReplaceTensor(typed, tensor("typed", Shape.of(5))),
                new ReplaceTensor(far, tensor("far", Shape.of())),
                new ReplaceTensor(inner, tensor("inner", Shape.of(1, 2))),
                new AddInitializer(tensor("added", Shape.of(4)), Keeping.EMBEDDED)));
    ModelProto.Builder expected = base.proto().toBuilder();
    expected
        .getGraphBuilder()
        .setInitializer(1, head("far"))
        .setInitializer(2, head("typed", 5))
        .addInitializer(head("added", 4))
        .getNodeBuilder(1)
        .getAttributeBuilder(1)
        .getGBuilder()
        .setInitializer(0, head("inner", 1, 2));
    assertThat(edited).isEqualTo(expected.build());
  }

  @Test
  void tellsEqualNodesApart() throws IOException {
    NodeProto same = Protos.node("Same", "y", "x");
    Edited twins =
        Edited.base(
            folder,
            Wire.model(
                Wire.message(1, same.toByteArray()),
                Wire.message(1, same.toByteArray()),
                Wire.message(1, same.toByteArray())));
    ModelProto edited =
        EditedModel.of(
            twins.model(),
            List.of(
                new SetInput(twins.node(1), 0, "z"),
                InsertNodes.before(twins.node(2), List.of(Protos.node("New", "n"))),
                new RemoveNode(twins.node(2))));
    assertThat(edited.getGraph().getNodeList())
        .containsExactly(same, Protos.node("Same", "y", "z"), Protos.node("New", "n"));
  }

  private StoredTensor tensor(String label) {
    return base.tensors().stream().filter(t -> t.label().equals(label)).findFirst().orElseThrow();
  }

  private static NewTensor tensor(String name, Shape shape) {
    return new NewTensor(name, DType.INT8, shape, new Length(shape.elements()));
  }

  private static TensorProto head(String name, long... dims) {
    TensorProto.Builder head = TensorProto.newBuilder().setName(name).setDataType(3);
    for (long dim : dims) {
      head.addDims(dim);
    }
    return head.build();
  }
}

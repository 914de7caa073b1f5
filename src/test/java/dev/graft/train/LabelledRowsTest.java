package dev.graft.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.UnsupportedException;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.ValueInfoProto;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

final class LabelledRowsTest {

  private final GraphProto.Builder graph = GraphProto.newBuilder();

  private LabelledRowsTest node(String operator, String output, String... inputs) {
    graph.addNode(
        NodeProto.newBuilder()
            .setName(output)
            .setOpType(operator)
            .addAllInput(List.of(inputs))
            .addOutput(output));
    return this;
  }

  private LabelledRowsTest stored(String name, long... dims) {
    TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(1);
    for (long dim : dims) {
      tensor.addDims(dim);
    }
    graph.addInitializer(tensor);
    return this;
  }

  /** The nodes that make the rows, as operator and inputs. */
  private List<String> rows(OptionalLong declared) {
    GraphDraft draft = new GraphDraft(ModelProto.newBuilder().setGraph(graph).build());
    String rows = new LabelledRows(draft, "places").of("logits", declared);
    ModelProto cut = draft.cutTo(ValueInfoProto.newBuilder().setName(rows).build());
    return cut.getGraph().getNodeList().stream()
        .map(node -> node.getOpType() + node.getInputList())
        .toList();
  }

  @Test
  void refusesAValueWhoseWidthNobodyKnows() {
    node("Softmax", "logits", "x");
    assertThatThrownBy(() -> rows(OptionalLong.empty()))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("'logits': the length of its last axis is not known");
  }

  @Test
  void takesRowsBehindWhatMayMixThem() {
    node("Softmax", "logits", "x");
    assertThat(rows(OptionalLong.of(7)))
        .containsExactly(
            "Softmax[x]", "Reshape[logits, loss/rows_shape]", "Gather[loss/rows, places]");
  }

  @Test
  void takesRowsBeforeTheHeadAndItsBranchOnce() {
    stored("W", 4, 7).stored("A", 4, 2).stored("B", 2, 7).stored("s").stored("b", 7);
    node("Relu", "h", "x");
    node("MatMul", "base", "h", "W");
    node("MatMul", "low", "h", "A");
    node("MatMul", "high", "low", "B");
    node("Mul", "delta", "high", "s");
    node("Add", "sum", "base", "delta");
    node("Add", "biased", "b", "sum");
    node("Tanh", "logits", "biased");
    assertThat(rows(OptionalLong.empty()))
        .containsExactly(
            "Relu[x]",
            "Reshape[h, loss/rows_shape]",
            "Gather[loss/rows, places]",
            "MatMul[loss/labelled_rows, W]",
            "MatMul[loss/labelled_rows, A]",
            "MatMul[low_of_labelled, B]",
            "Mul[high_of_labelled, s]",
            "Add[base_of_labelled, delta_of_labelled]",
            "Add[b, sum_of_labelled]",
            "Tanh[biased_of_labelled]");
  }

  @Test
  void looksThroughATransposedTable() {
    stored("table", 7, 4);
    node("Transpose", "W", "table");
    node("MatMul", "logits", "h", "W");
    assertThat(rows(OptionalLong.empty()))
        .containsExactly(
            "Transpose[table]",
            "Reshape[h, loss/rows_shape]",
            "Gather[loss/rows, places]",
            "MatMul[loss/labelled_rows, W]");
  }

  @Test
  void doesNotPassSumsOfWhatIsNotARow() {
    stored("W", 4, 7);
    node("MatMul", "base", "h", "W");
    node("Add", "logits", "base", "perPosition");
    assertThat(rows(OptionalLong.empty()))
        .containsExactly(
            "MatMul[h, W]",
            "Add[base, perPosition]",
            "Reshape[logits, loss/rows_shape]",
            "Gather[loss/rows, places]");
  }
}

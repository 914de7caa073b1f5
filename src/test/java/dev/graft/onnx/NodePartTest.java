package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.onnx.proto.NodeProto;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class NodePartTest {

  @Test
  void namesTheDomainOnlyWhereItIsNotOnnx() {
    NodeProto node = NodeProto.newBuilder().setOpType("MatMul").build();
    assertThat(part(node).operator()).isEqualTo("MatMul");
    assertThat(part(node.toBuilder().setDomain("ai.onnx").build()).operator()).isEqualTo("MatMul");
    assertThat(part(node.toBuilder().setDomain("com.microsoft").build()).operator())
        .isEqualTo("com.microsoft.MatMul");
  }

  @Test
  void isCalledByNameThenOutputThenOperator() {
    NodeProto node = NodeProto.newBuilder().setOpType("Add").build();
    assertThat(part(node).label()).isEqualTo("Add");
    assertThat(part(node.toBuilder().addOutput("y").build()).label()).isEqualTo("y");
    assertThat(part(node.toBuilder().addOutput("y").setName("n").build()).label()).isEqualTo("n");
  }

  private static NodePart part(NodeProto node) {
    return new NodePart(node, MessageSpan.root(0), Map.of(), List.of());
  }
}

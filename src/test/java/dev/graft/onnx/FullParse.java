package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.onnx.TensorPayload.Encoding;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.TensorSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/** Holds an opened model against what protobuf makes of the whole file. */
final class FullParse {

  private FullParse() {}

  static void agrees(OnnxModel model, ModelProto whole) throws IOException {
    byte[] file = Files.readAllBytes(model.path());
    assertThat(model.proto()).isEqualTo(Protos.withoutPayloads(whole));
    List<TensorProto> tensors = new ArrayList<>(Protos.all(whole, TensorProto.class));
    for (StoredTensor tensor : model.tensors()) {
      TensorProto full = TensorProto.parseFrom(body(file, tensor.span()));
      assertThat(tensors.remove(full)).as(tensor.label()).isTrue();
      assertThat(tensor.proto()).isEqualTo(Protos.withoutPayloads(full));
      sourceHoldsTheValues(tensor, full, file);
    }
    assertThat(tensors).as("tensors that were not found").isEmpty();
    nodesLieWhereTheySay(model, whole, file);
  }

  private static void sourceHoldsTheValues(StoredTensor tensor, TensorProto full, byte[] file) {
    switch (tensor.storage()) {
      case EXTERNAL -> assertThat(full.getDataLocation().getNumber()).isEqualTo(1);
      case TYPED -> assertThat(full.hasRawData()).isFalse();
      case EMBEDDED -> {
        TensorSource source = tensor.source().orElseThrow();
        byte[] found = Arrays.copyOfRange(file, (int) source.offset(), (int) source.end());
        byte[] expected = full.hasRawData() ? full.getRawData().toByteArray() : floats(full);
        assertThat(Arrays.equals(found, expected)).as(tensor.label()).isTrue();
      }
    }
    boolean none = tensor.span().payload().orElseThrow().encoding() == Encoding.NONE;
    assertThat(full.hasRawData() && none).isFalse();
  }

  private static void nodesLieWhereTheySay(OnnxModel model, ModelProto whole, byte[] file)
      throws IOException {
    List<NodePart> parts = new ArrayList<>();
    collect(List.of(model.graph()), parts);
    for (int i = 0; i < model.graph().nodes().size(); i++) {
      NodePart part = model.graph().nodes().get(i);
      assertThat(NodeProto.parseFrom(body(file, part.span())))
          .isEqualTo(whole.getGraph().getNode(i));
    }
    for (NodePart part : parts) {
      assertThat(part.proto())
          .isEqualTo(Protos.withoutPayloads(NodeProto.parseFrom(body(file, part.span()))));
    }
  }

  private static void collect(Collection<GraphPart> graphs, List<NodePart> into) {
    for (GraphPart graph : graphs) {
      into.addAll(graph.nodes());
      graph.nodes().forEach(node -> collect(node.subgraphs(), into));
    }
  }

  static byte[] body(byte[] file, MessageSpan span) {
    return Arrays.copyOfRange(file, (int) span.bodyStart(), (int) span.bodyEnd());
  }

  private static byte[] floats(TensorProto tensor) {
    ByteBuffer out =
        ByteBuffer.allocate(4 * tensor.getFloatDataCount()).order(ByteOrder.LITTLE_ENDIAN);
    tensor.getFloatDataList().forEach(out::putFloat);
    return out.array();
  }
}

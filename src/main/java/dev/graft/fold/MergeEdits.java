package dev.graft.fold;

import dev.graft.error.UnsupportedException;
import dev.graft.fold.TensorPlanner.Move;
import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.match.Gap;
import dev.graft.match.Opening;
import dev.graft.match.Resized;
import dev.graft.match.SizeTrace;
import dev.graft.match.Spot;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.GraphEdit.Declaration;
import dev.graft.onnx.GraphEdit.InsertNodes;
import dev.graft.onnx.GraphEdit.Keeping;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.ReplaceTensor;
import dev.graft.onnx.GraphEdit.SetDimension;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.OperatorSetIdProto;
import dev.graft.onnx.proto.TensorShapeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a merge changes in the graph itself: copies of shared weights and who reads them, tensors of
 * another shape with all that declares it, and parameters that the graph lacked.
 */
final class MergeEdits {

  /** From here on Add stretches a vector over the last axis without being told. */
  private static final long BROADCASTING = 7;

  private final ModelGraph graph;
  private final List<GraphEdit> edits = new ArrayList<>();

  private MergeEdits(ModelGraph graph) {
    this.graph = graph;
  }

  /**
   * The edits of a merge.
   *
   * @param moves the tensors with new values
   * @param sizes the values of another size
   */
  static List<GraphEdit> of(ModelGraph graph, List<Move> moves, SizeTrace sizes) {
    MergeEdits all = new MergeEdits(graph);
    moves.forEach(all::add);
    sizes.values().forEach(all::declare);
    return List.copyOf(all.edits);
  }

  private void add(Move move) {
    FoldedTensor tensor = move.tensor();
    if (tensor.isAdded()) {
      String name = tensor.outputName();
      edits.add(new AddInitializer(tensor.as(name), Keeping.LIKE_BASE));
      move.spot().ifPresent(spot -> read(spot, name));
      move.home().gap().ifPresent(gap -> fill(gap, name));
    } else if (tensor.start().isEmpty()) {
      for (StoredTensor twin : move.spot().orElseThrow().twins()) {
        edits.add(new ReplaceTensor(twin, tensor.as(twin.name())));
      }
    }
  }

  private void read(Spot spot, String name) {
    for (Use use : spot.split()) {
      edits.add(new SetInput(use.node().part(), use.input(), name));
    }
  }

  private void fill(Gap gap, String name) {
    for (Opening opening : gap.openings()) {
      switch (opening) {
        case Opening.Operand(GraphNode node, int input) ->
            edits.add(new SetInput(node.part(), input, name));
        case Opening.Addend(GraphNode node) -> addBehind(node, name);
      }
    }
  }

  /** The Add is named and described as the exporter would have done it. */
  private void addBehind(GraphNode node, String bias) {
    requireBroadcasting(node);
    String output = node.output().orElseThrow();
    String product = graph.freshName(output + "_without_bias");
    String label = node.part().proto().getName();
    int slash = label.lastIndexOf('/');
    String wish =
        slash < 0
            ? (label.isEmpty() ? output : label) + "_Add"
            : label.substring(0, slash) + "/Add";
    NodeProto add =
        NodeProto.newBuilder()
            .setOpType("Add")
            .setName(graph.freshName(wish))
            .addInput(product)
            .addInput(bias)
            .addOutput(output)
            .addAllMetadataProps(node.part().proto().getMetadataPropsList())
            .build();
    edits.add(new RenameOutput(node.part(), 0, product));
    edits.add(InsertNodes.after(node.part(), List.of(add)));
  }

  private void requireBroadcasting(GraphNode node) {
    long version =
        graph.model().proto().getOpsetImportList().stream()
            .filter(o -> o.getDomain().isEmpty() || o.getDomain().equals("ai.onnx"))
            .mapToLong(OperatorSetIdProto::getVersion)
            .max()
            .orElse(0);
    if (version < BROADCASTING) {
      throw new UnsupportedException(
          "%s: %s needs an Add behind it, but the model uses opset %d, where Add does not broadcast; export with opset %d or later"
              .formatted(graph.model().path(), node, version, BROADCASTING));
    }
  }

  private void declare(Resized resized) {
    GraphProto main = graph.model().proto().getGraph();
    declare(resized, Declaration.INPUT, main.getInputList());
    declare(resized, Declaration.OUTPUT, main.getOutputList());
    declare(resized, Declaration.VALUE_INFO, main.getValueInfoList());
  }

  private void declare(Resized resized, Declaration list, List<ValueInfoProto> values) {
    String name = resized.value().name();
    Resized.Size size = resized.size();
    Optional<ValueInfoProto> stale =
        values.stream()
            .filter(v -> v.getName().equals(name))
            .filter(v -> states(v.getType().getTensorType().getShape(), size))
            .findFirst();
    stale.ifPresent(v -> edits.add(new SetDimension(list, name, -size.axis(), size.to())));
  }

  private static boolean states(TensorShapeProto shape, Resized.Size size) {
    int place = shape.getDimCount() - size.axis();
    return place >= 0 && shape.getDim(place).getDimValue() == size.from();
  }
}

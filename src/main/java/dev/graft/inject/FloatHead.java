package dev.graft.inject;

import dev.graft.error.UnsupportedException;
import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.match.BoundTarget.Whole;
import dev.graft.match.Layout;
import dev.graft.match.Reading;
import dev.graft.onnx.Attributes;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.GraphEdit.InsertNodes;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A layer on a quantised weight that the adapter brings whole, such as a new head: it becomes a
 * product of floats in the place of the one on integers, which goes.
 */
final class FloatHead {

  private final ModelGraph graph;
  private final AdapterInitializers tensors;
  private final List<GraphEdit> edits = new ArrayList<>();

  FloatHead(ModelGraph graph, AdapterInitializers tensors) {
    this.graph = graph;
    this.tensors = tensors;
  }

  /** Whether a whole tensor is to take the place of one that is not stored as floats. */
  static boolean isFor(Whole whole) {
    return whole.place().gap().isEmpty() && !whole.place().tensor().dtype().isFoldable();
  }

  /**
   * The edits for one layer.
   *
   * @throws UnsupportedException if the product does not come out as floats in a way that is known
   */
  List<GraphEdit> edits(Whole whole) {
    for (Reading reading :
        whole.place().spots().stream().flatMap(s -> s.readers().stream()).distinct().toList()) {
      replace(whole, reading);
    }
    return List.copyOf(edits);
  }

  private void replace(Whole whole, Reading reading) {
    GraphNode node = reading.node();
    switch (node.operator()) {
      case "MatMul", "Gemm" -> rewire(whole, reading);
      case "MatMulInteger", "com.microsoft.MatMulNBits" -> exchange(whole, reading);
      default ->
          throw new UnsupportedException(
              "%s: its weight is quantised (%s), so no float layer can be put in its place; insert into the float model and quantise the result"
                  .formatted(whole.name(), node));
    }
  }

  /** The operator is one on floats already and reads a restored weight. */
  private void rewire(Whole whole, Reading reading) {
    Use use = reading.use();
    String weight = tensors.whole(whole, BranchForm.layoutAt(reading));
    Removal removal = new Removal(graph, Set.of(use), Set.of());
    use.node().input(use.input()).flatMap(use.node().scope()::resolve).ifPresent(removal::release);
    DType type = ComputeType.of(reading);
    Nodes nodes = Nodes.of(graph, module(whole), Opsets.in(graph, use.node()));
    String cast = nodes.cast("weight", weight, whole.replacement().value().dtype(), type);
    edits.add(InsertNodes.before(use.node().part(), nodes.all()));
    edits.add(new SetInput(use.node().part(), use.input(), cast));
    edits.addAll(removal.edits());
  }

  private void exchange(Whole whole, Reading reading) {
    Anchor anchor = Anchor.of(graph, reading);
    if (anchor.node().operator().endsWith("MatMulNBits") && anchor.node().input(5).isPresent()) {
      throw new UnsupportedException(
          "%s: %s adds a bias itself, which would go with it; insert into the float model and quantise the result"
              .formatted(whole.name(), anchor.node()));
    }
    String weight = tensors.whole(whole, Layout.IN_OUT);
    Nodes nodes = Nodes.of(graph, module(whole), Opsets.in(graph, reading.node()));
    DType saved = whole.replacement().value().dtype();
    String wide = nodes.cast("weight", weight, saved, DType.FLOAT32);
    String x = nodes.cast("x", anchor.operand(), anchor.type(), DType.FLOAT32);
    String output = anchor.node().output().orElseThrow();
    if (anchor.type() == DType.FLOAT32) {
      nodes.last("MatMul", List.of(x, wide), output);
    } else {
      String product = nodes.add("MatMul", List.of(x, wide));
      nodes.last(
          "Cast", List.of(product), output, Attributes.of("to", (long) anchor.type().onnxCode()));
    }
    Set<Value> kept = anchor.node().scope().resolve(anchor.operand()).map(Set::of).orElse(Set.of());
    Removal removal = new Removal(graph, Set.of(), kept);
    removal.remove(List.of(anchor.node()));
    edits.add(InsertNodes.after(anchor.node().part(), nodes.all()));
    edits.addAll(removal.edits());
  }

  private String module(Whole whole) {
    String parameter = tensors.inFile(whole.replacement().parameter());
    int dot = parameter.lastIndexOf('.');
    return dot < 0 ? parameter : parameter.substring(0, dot);
  }
}

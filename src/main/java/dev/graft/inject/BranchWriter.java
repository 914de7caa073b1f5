package dev.graft.inject;

import dev.graft.error.UnsupportedException;
import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.match.BoundTarget.Lora;
import dev.graft.match.Layout;
import dev.graft.onnx.Attributes;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.GraphEdit.InsertNodes;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.NodePart;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Makes the edits that put branches beside one operator: {@code y = W·x} becomes {@code y +
 * s·B(A·x) }, under the name that y had. Beside an operator of half precision the sum is made in
 * float32 and rounded once, as PEFT does.
 */
final class BranchWriter {

  private final ModelGraph graph;
  private final AdapterInitializers tensors;
  private final AdapterName name;
  private final Map<NodePart, String> renamed;

  /**
   * Prepares to make edits.
   *
   * @param graph the base
   * @param tensors the adapter's initializers
   * @param name the adapter's name
   * @param renamed operators whose output other edits have renamed, with the new name
   */
  BranchWriter(
      ModelGraph graph,
      AdapterInitializers tensors,
      AdapterName name,
      Map<NodePart, String> renamed) {
    this.graph = graph;
    this.tensors = tensors;
    this.name = name;
    this.renamed = Map.copyOf(renamed);
  }

  /** The edits for one operator. */
  List<GraphEdit> edits(SiteWork site) {
    return site.form() == BranchForm.ON_WEIGHT ? onWeight(site) : beside(site);
  }

  private List<GraphEdit> beside(SiteWork site) {
    GraphNode node = site.reading().node();
    Nodes nodes = Nodes.of(graph, pair(site.loras().getFirst()).module());
    DType type = ComputeType.of(site.reading());
    String x = operand(nodes, site, type);
    String output = node.output().orElseThrow();
    String product = graph.freshName(output + "_without_lora");
    List<String> terms = new ArrayList<>();
    for (Blocks blocks : new Blocks(site.loras(), site.outputs()).apart()) {
      terms.add(term(nodes, site, blocks, x));
    }
    add(nodes, new Sum(product, terms, renamed.getOrDefault(node.part(), output)), type);
    return List.of(
        new RenameOutput(node.part(), 0, product), InsertNodes.after(node.part(), nodes.all()));
  }

  private record Sum(String base, List<String> terms, String output) {}

  private void add(Nodes nodes, Sum sum, DType type) {
    String step = "lora" + name.step();
    String so = nodes.cast(step + "/base", sum.base(), type, DType.FLOAT32);
    for (int i = 0; i < sum.terms().size(); i++) {
      List<String> both = List.of(so, sum.terms().get(i));
      boolean isLast = i == sum.terms().size() - 1;
      if (isLast && type == DType.FLOAT32) {
        nodes.last(step + "/Add", both, sum.output());
      } else {
        so = nodes.add(step + "/Add", both);
      }
    }
    if (type != DType.FLOAT32) {
      nodes.last(
          step + "/Cast", List.of(so), sum.output(), Attributes.of("to", (long) type.onnxCode()));
    }
  }

  /** What the operator multiplies the weight with, as float32; of a table the ids. */
  private String operand(Nodes nodes, SiteWork site, DType type) {
    GraphNode node = site.reading().node();
    int weight = site.reading().use().input();
    String x = node.input(site.form() == BranchForm.CONVOLUTION ? 0 : 1 - weight).orElseThrow();
    if (site.form() == BranchForm.LOOKUP) {
      return x;
    }
    String step = "lora_A" + name.step();
    String turning = weight == 0 ? "transB" : "transA";
    boolean turned = node.operator().equals("Gemm") && node.intAttribute(turning, 0) != 0;
    AttributeProto perm = Attributes.ofInts("perm", List.of(1L, 0L));
    String upright = turned ? nodes.add(step + "/x/Transpose", List.of(x), perm) : x;
    return nodes.cast(step + "/x", upright, type, DType.FLOAT32);
  }

  private String term(Nodes nodes, SiteWork site, Blocks blocks, String x) {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < blocks.loras().size(); i++) {
      PairNodes pair = pairNodes(nodes, blocks, i);
      parts.add(
          switch (site.form()) {
            case RIGHT_FACTOR -> pair.rightFactor(x);
            case LEFT_FACTOR -> pair.leftFactor(x);
            case LOOKUP -> pair.lookup(x);
            case CONVOLUTION -> pair.convolution(x, site.reading().node());
            case ON_WEIGHT -> throw new IllegalStateException("no branch beside " + site);
          });
    }
    long axis =
        switch (site.form()) {
          case RIGHT_FACTOR, LOOKUP, ON_WEIGHT -> -1;
          case LEFT_FACTOR -> -2;
          case CONVOLUTION -> 1;
        };
    return blocks.joined(nodes, parts, axis);
  }

  private List<GraphEdit> onWeight(SiteWork site) {
    GraphNode node = site.reading().node();
    int input = site.reading().use().input();
    Nodes nodes = Nodes.of(graph, pair(site.loras().getFirst()).module());
    DType type = ComputeType.of(site.reading());
    Layout layout = BranchForm.layoutAt(site.reading());
    List<String> terms = new ArrayList<>();
    for (Blocks blocks : new Blocks(site.loras(), site.outputs()).apart()) {
      List<String> parts = new ArrayList<>();
      for (int i = 0; i < blocks.loras().size(); i++) {
        parts.add(pairNodes(nodes, blocks, i).delta(layout));
      }
      terms.add(blocks.joined(nodes, parts, layout == Layout.IN_OUT ? 1 : 0));
    }
    String weight = graph.freshName(node.input(input).orElseThrow() + "_with_lora");
    add(nodes, new Sum(node.input(input).orElseThrow(), terms, weight), type);
    return List.of(
        InsertNodes.before(node.part(), nodes.all()), new SetInput(node.part(), input, weight));
  }

  private PairNodes pairNodes(Nodes nodes, Blocks blocks, int index) {
    Lora lora = blocks.loras().get(index);
    PairTensors pair = pair(lora);
    return new PairNodes(nodes.in(pair.module()), pair, new PairNodes.Place(blocks, index), name);
  }

  private PairTensors pair(Lora lora) {
    if (lora.pair().magnitude().isPresent()) {
      throw new UnsupportedException(
          "%s: no branch is known for DoRA; merge it instead".formatted(lora.name()));
    }
    return tensors.of(
        lora.pair(),
        new AdapterInitializers.Form(
            lora.operation().kind(), lora.place().tensor().shape().rank()));
  }
}

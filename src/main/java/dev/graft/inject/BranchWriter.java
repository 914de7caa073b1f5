package dev.graft.inject;

import dev.graft.adapter.LoraPair;
import dev.graft.error.UnsupportedException;
import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.inject.Blocks.Axis;
import dev.graft.match.BoundTarget.Lora;
import dev.graft.match.Layout;
import dev.graft.onnx.Attributes;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.GraphEdit.InsertNodes;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.NodePart;
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
  private final AdapterTensors tensors;
  private final AdapterName name;
  private final Map<NodePart, String> renamed;

  /**
   * Prepares to make edits.
   *
   * @param graph the base
   * @param tensors the adapter's initializers, or the slots for them
   * @param name the adapter's name
   * @param renamed operators whose output other edits have renamed, with the new name
   */
  BranchWriter(
      ModelGraph graph, AdapterTensors tensors, AdapterName name, Map<NodePart, String> renamed) {
    this.graph = graph;
    this.tensors = tensors;
    this.name = name;
    this.renamed = Map.copyOf(renamed);
  }

  /** An operator at work: where its nodes go and in which type it computes. */
  private record Bench(SiteWork site, Nodes nodes, Anchor anchor, Opsets opsets) {
    DType type() {
      return anchor.type();
    }

    GraphNode node() {
      return site.reading().node();
    }

    int input() {
      return site.reading().use().input();
    }
  }

  /**
   * The edits for one operator.
   *
   * @throws UnsupportedException if no branch is known for it
   */
  List<GraphEdit> edits(SiteWork site) {
    Opsets opsets = Opsets.in(graph, site.reading().node());
    site.loras().forEach(lora -> requireKnown(site, lora));
    Nodes nodes = Nodes.of(graph, pair(site, site.loras().getFirst()).module(), opsets);
    Bench bench = new Bench(site, nodes, Anchor.of(graph, site.reading()), opsets);
    return site.form() == BranchForm.ON_WEIGHT ? onWeight(bench) : beside(bench);
  }

  /** What a pair counts as inputs may be the operator's outputs, where weights are tied. */
  private static void requireKnown(SiteWork site, Lora lora) {
    boolean isTable = lora.pair().kind() == LoraPair.Kind.EMBEDDING;
    boolean looksUp =
        site.form() == BranchForm.LOOKUP
            || site.reading().node().operator().endsWith("EmbedLayerNormalization");
    boolean isPlain =
        lora.pair().magnitude().isEmpty()
            && lora.pairOutputs().isAll()
            && site.form() != BranchForm.ON_WEIGHT;
    if (isTable != looksUp && !isPlain) {
      throw new UnsupportedException(
          "%s: the adapter acts on the other half of a tie, %s, for which no branch is known; merge it instead"
              .formatted(lora.name(), site.reading().node()));
    }
  }

  private List<GraphEdit> beside(Bench bench) {
    GraphNode node = bench.anchor().node();
    String x = operand(bench);
    String output = node.output().orElseThrow();
    String sum = renamed.getOrDefault(node.part(), output);
    String product = graph.freshName(sum + "_without_lora");
    String step = "lora" + name.step() + "/base";
    String wide = bench.nodes().cast(step, product, bench.type(), DType.FLOAT32);
    List<String> terms = new ArrayList<>();
    for (Blocks blocks : blocks(bench.site())) {
      String delta = delta(bench, blocks, x);
      terms.add(isDora(blocks) ? dora(bench, blocks, new Product(wide, delta)) : delta);
    }
    add(bench, new Sum(wide, terms, sum));
    return List.of(
        new RenameOutput(node.part(), 0, product),
        InsertNodes.after(node.part(), bench.nodes().all()));
  }

  /** The blocks of a site; where each output has a length of its own they cannot be stacked. */
  private static List<Blocks> blocks(SiteWork site) {
    List<Blocks> blocks = new Blocks(site.loras(), site.outputs()).apart();
    boolean stacked = blocks.size() > 1 && blocks.stream().anyMatch(BranchWriter::isDora);
    if (stacked || blocks.stream().anyMatch(BranchWriter::isMixed)) {
      throw new UnsupportedException(
          "%s: several pairs act on one weight, only some of them with DoRA, for which no branch is known; merge the adapter instead"
              .formatted(site.reading().node()));
    }
    return blocks;
  }

  private static boolean isDora(Blocks blocks) {
    return blocks.loras().stream().anyMatch(l -> l.pair().magnitude().isPresent());
  }

  private static boolean isMixed(Blocks blocks) {
    return isDora(blocks) && blocks.loras().stream().anyMatch(l -> l.pair().magnitude().isEmpty());
  }

  private record Sum(String base, List<String> terms, String output) {}

  private void add(Bench bench, Sum sum) {
    Nodes nodes = bench.nodes();
    String step = "lora" + name.step();
    String so = sum.base();
    for (int i = 0; i < sum.terms().size(); i++) {
      List<String> both = List.of(so, sum.terms().get(i));
      boolean isLast = i == sum.terms().size() - 1;
      if (isLast && bench.type() == DType.FLOAT32) {
        nodes.last(step + "/Add", both, sum.output());
      } else {
        so = nodes.add(step + "/Add", both);
      }
    }
    if (bench.type() != DType.FLOAT32) {
      nodes.last(
          step + "/Cast",
          List.of(so),
          sum.output(),
          Attributes.of("to", (long) bench.type().onnxCode()));
    }
  }

  /** What the operator multiplies the weight with, as float32; of a table the ids. */
  private String operand(Bench bench) {
    GraphNode node = bench.node();
    BranchForm form = bench.site().form();
    String x = bench.anchor().operand();
    if (form == BranchForm.LOOKUP) {
      return x;
    }
    String step = "lora_A" + name.step() + "/x";
    String turning = bench.input() == 0 ? "transB" : "transA";
    boolean turned = node.operator().equals("Gemm") && node.intAttribute(turning, 0) != 0;
    String upright = turned ? bench.nodes().turned(step, x) : x;
    return bench.nodes().cast(step, upright, bench.type(), DType.FLOAT32);
  }

  private String delta(Bench bench, Blocks blocks, String x) {
    BranchForm form = bench.site().form();
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < blocks.loras().size(); i++) {
      PairNodes pair = pairNodes(bench, blocks, i);
      parts.add(
          switch (form) {
            case RIGHT_FACTOR -> pair.rightFactor(x);
            case LEFT_FACTOR -> pair.leftFactor(x);
            case LOOKUP -> pair.lookup(x);
            case CONVOLUTION -> pair.convolution(x, bench.node());
            case ON_WEIGHT -> throw new IllegalStateException("no branch beside " + bench);
          });
    }
    long axis =
        switch (form) {
          case RIGHT_FACTOR, LOOKUP, ON_WEIGHT -> -1;
          case LEFT_FACTOR -> -2;
          case CONVOLUTION -> 1;
        };
    return Blocks.joined(bench.nodes(), parts, axis);
  }

  private record Product(String base, String delta) {}

  private String dora(Bench bench, Blocks blocks, Product product) {
    WeightNodes weight = new WeightNodes(bench.nodes(), bench.site(), bench.type(), bench.opsets());
    List<String> own = new ArrayList<>();
    for (int i = 0; i < blocks.loras().size(); i++) {
      PairNodes pair = pairNodes(bench, blocks, i);
      own.add(weight.factor(blocks, i, pair));
    }
    return weight.change(product.base(), weight.factors(blocks, own), product.delta());
  }

  private List<GraphEdit> onWeight(Bench bench) {
    NodePart node = bench.node().part();
    String stored = bench.node().input(bench.input()).orElseThrow();
    Nodes nodes = bench.nodes();
    boolean isTurned = BranchForm.layoutAt(bench.site().reading()) == Layout.OUT_IN;
    List<String> terms = new ArrayList<>();
    for (Blocks blocks : blocks(bench.site())) {
      String term = onWeight(bench, blocks);
      terms.add(isTurned ? nodes.turned("lora" + name.step(), term) : term);
    }
    String weight = graph.freshName(stored + "_with_lora");
    String wide = nodes.cast("lora" + name.step() + "/base", stored, bench.type(), DType.FLOAT32);
    add(bench, new Sum(wide, terms, weight));
    return List.of(
        InsertNodes.before(node, nodes.all()), new SetInput(node, bench.input(), weight));
  }

  /** What the weight gains as {@code [in, out]}, less the operator's own factor. */
  private String onWeight(Bench bench, Blocks blocks) {
    Nodes nodes = bench.nodes();
    String step = "lora" + name.step();
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < blocks.loras().size(); i++) {
      PairNodes pair = pairNodes(bench, blocks, i);
      String change = isDora(blocks) ? doraOnWeight(bench, blocks, i) : pair.delta();
      parts.add(blocks.withZeros(nodes, step, i, Axis.ofMatrix(change)));
    }
    String all = Blocks.joined(nodes, parts, 1);
    float alpha = bench.site().loras().getFirst().alpha();
    return alpha == 1
        ? all
        : nodes.add(step + "/Div", List.of(all, nodes.number(step + "/alpha", alpha)));
  }

  /** {@code g·(α·W + s·A·B) − α·W} for the outputs of one pair. */
  private String doraOnWeight(Bench bench, Blocks blocks, int index) {
    WeightNodes weight = new WeightNodes(bench.nodes(), bench.site(), bench.type(), bench.opsets());
    PairNodes pair = pairNodes(bench, blocks, index);
    String adapted = weight.adapted(blocks, index, pair);
    String factor = pair.isSlot() ? pair.magnitude() : weight.factor(adapted, pair);
    String step = "lora_magnitude_vector" + name.step();
    String stretched = bench.nodes().add(step + "/Mul", List.of(adapted, factor));
    return bench.nodes().add(step + "/Sub", List.of(stretched, weight.of(blocks, index)));
  }

  private PairNodes pairNodes(Bench bench, Blocks blocks, int index) {
    Lora lora = blocks.loras().get(index);
    PairTensors pair = pair(bench.site(), lora);
    return new PairNodes(
        bench.nodes().in(pair.module()),
        pair,
        new PairNodes.Place(blocks, index, bench.site().form()),
        name);
  }

  private PairTensors pair(SiteWork site, Lora lora) {
    return tensors.of(
        lora.pair(),
        new AdapterTensors.Form(
            lora.operation().kind(), lora.operation().shape().rank(), site.form()));
  }
}

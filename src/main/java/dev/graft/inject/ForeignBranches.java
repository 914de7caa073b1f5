package dev.graft.inject;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.match.Layout;
import dev.graft.match.Site;
import dev.graft.match.SiteIndex;
import dev.graft.match.SiteName;
import dev.graft.match.Turn;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * Branches that other tools put into a model, such as an export of a model that PEFT had wrapped,
 * or the GenAI builder:
 *
 * <pre>
 *   y = (x·W [+ bias]) + ((x·A)·B [· s])      A [in, r], B [r, out], r less than both
 * </pre>
 *
 * <p>All of it must hold: both products have the very same input, A and B are stored and nothing
 * else lies on the way, nobody else reads a value between, and no factor is an input of the model.
 * An activation, a shared value or a width that is no bottleneck makes it something else.
 */
final class ForeignBranches {

  private final ModelGraph graph;
  private final BaseValues values;
  private final Map<GraphNode, Site> products = new HashMap<>();
  private final List<Branch> branches = new ArrayList<>();

  /**
   * One branch.
   *
   * @param add where it is added
   * @param base the product that it is added to
   * @param sum the value that it is added to, with a bias perhaps
   * @param low x·A
   * @param high the other product
   * @param scale what the graph multiplies it with
   */
  private record Branch(GraphNode add, Site base, String sum, Site low, Site high, double scale) {}

  private ForeignBranches(ModelGraph graph) {
    this.graph = graph;
    this.values = new BaseValues(graph.model());
    Set<GraphNode> several = new HashSet<>();
    for (Site site : SiteIndex.of(graph).sites()) {
      boolean isPlain =
          site.kind() == Site.Kind.LINEAR
              && site.reading().use().input() == 1
              && site.reading().calls().isEmpty()
              && site.tensor().shape().rank() == 2;
      if (!isPlain || products.put(site.node(), site) != null) {
        several.add(site.node());
      }
    }
    several.forEach(products::remove);
  }

  /** Looks for them. */
  static ForeignBranches in(ModelGraph graph) {
    ForeignBranches found = new ForeignBranches(graph);
    for (GraphNode node : graph.nodes()) {
      if (node.operator().equals("Add") && node.inputs().size() == 2) {
        found.branch(node, 1).or(() -> found.branch(node, 0)).ifPresent(found.branches::add);
      }
    }
    return found;
  }

  private Optional<Branch> branch(GraphNode add, int input) {
    OptionalDouble scale = OptionalDouble.of(1);
    Optional<GraphNode> top = alone(add, input);
    if (top.filter(n -> n.operator().equals("Mul")).isPresent()) {
      GraphNode mul = top.get();
      int product = number(mul, 1).isPresent() ? 0 : 1;
      scale = number(mul, 1 - product);
      top = alone(mul, product);
    }
    Optional<Site> high = top.flatMap(this::product);
    Optional<Site> low = high.flatMap(h -> alone(h.node(), 0)).flatMap(this::product);
    Optional<Site> base = base(add, 1 - input);
    if (scale.isEmpty() || low.isEmpty() || base.isEmpty()) {
      return Optional.empty();
    }
    Branch branch =
        new Branch(
            add,
            base.get(),
            add.inputs().get(1 - input),
            low.get(),
            high.orElseThrow(),
            scale.getAsDouble() * low.get().alpha() * high.get().alpha());
    return isLowRank(branch) ? Optional.of(branch) : Optional.empty();
  }

  /** A product with a stored matrix on its right side and nothing added. */
  private Optional<Site> product(GraphNode node) {
    return Optional.ofNullable(products.get(node))
        .filter(s -> node.input(2).isEmpty() && node.intAttribute("transA", 0) == 0)
        .filter(s -> !isInput(s.tensor()));
  }

  /** A slot is no branch before an adapter is given. */
  private boolean isInput(StoredTensor tensor) {
    return graph.valueOf(tensor).filter(v -> v.scope().input(v.name()).isPresent()).isPresent();
  }

  /** The product that a branch is beside, its bias added perhaps. */
  private Optional<Site> base(GraphNode add, int input) {
    Optional<GraphNode> sum = alone(add, input);
    if (sum.isPresent() && products.containsKey(sum.get())) {
      return sum.map(products::get);
    }
    return sum.filter(n -> n.operator().equals("Add") && n.inputs().size() == 2)
        .flatMap(n -> isVector(n, 1) ? alone(n, 0) : isVector(n, 0) ? alone(n, 1) : sum)
        .map(products::get);
  }

  private static boolean isVector(GraphNode node, int input) {
    return node.input(input)
        .flatMap(node.scope()::resolve)
        .flatMap(ModelGraph::stored)
        .filter(t -> t.shape().rank() == 1)
        .isPresent();
  }

  private boolean isLowRank(Branch branch) {
    Optional<Value> x = operand(branch.base());
    Shape weight = branch.base().tensor().shape();
    Shape a = branch.low().tensor().shape();
    Shape b = branch.high().tensor().shape();
    long in = branch.base().layout().in(weight);
    long out = branch.base().layout().out(weight);
    long rank = branch.low().layout().out(a);
    return x.isPresent()
        && x.equals(operand(branch.low()))
        && branch.base().node().intAttribute("transA", 0) == 0
        && branch.low().layout().in(a) == in
        && branch.high().layout().in(b) == rank
        && branch.high().layout().out(b) == out
        && rank < Math.min(in, out);
  }

  private static Optional<Value> operand(Site site) {
    return site.node().input(0).flatMap(site.node().scope()::resolve);
  }

  /** The node that makes an input which nobody else reads. */
  private Optional<GraphNode> alone(GraphNode node, int input) {
    return node.input(input)
        .flatMap(name -> node.scope().producer(name))
        .filter(producer -> {
          Value value = new Value(node.scope(), node.inputs().get(input));
          return graph.uses(value).size() == 1 && !graph.leaves(value);
        });
  }

  private OptionalDouble number(GraphNode node, int input) {
    Optional<StoredTensor> stored =
        node.input(input).flatMap(node.scope()::resolve).flatMap(ModelGraph::stored);
    return stored
        .filter(t -> t.shape().elements() == 1 && t.knownType().isPresent())
        .filter(t -> t.dtype().isFoldable())
        .map(t -> OptionalDouble.of(values.of(t)[0]))
        .orElse(OptionalDouble.empty());
  }

  /** The weight beside each branch, by the module's name. */
  Map<String, String> weights() {
    Map<String, String> weights = new LinkedHashMap<>();
    branches.forEach(b -> weights.put(module(b), b.base().tensor().label()));
    return weights;
  }

  /** What they are made of, and the edits that take them out. */
  Held held() {
    List<HeldModule> modules = new ArrayList<>();
    List<HeldTensor> tensors = new ArrayList<>();
    for (Branch branch : branches) {
      String module = module(branch);
      Site low = branch.low();
      int rank = Math.toIntExact(low.layout().out(low.tensor().shape()));
      modules.add(new HeldModule(module, rank, branch.scale()));
      tensors.add(tensor(module, "lora_A", low));
      tensors.add(tensor(module, "lora_B", branch.high()));
    }
    return new Held("branches", modules, tensors, removal());
  }

  private static HeldTensor tensor(String module, String factor, Site site) {
    return new HeldTensor(
        HeldTensor.STEM + module + "." + factor + ".weight",
        site.tensor(),
        site.layout() == Layout.OUT_IN ? Turn.AS_IS : Turn.TRANSPOSED);
  }

  /** What the base's product is called, without what PEFT's wrapper adds. */
  private static String module(Branch branch) {
    return branch.base().names().stream()
        .map(SiteName::module)
        .map(name -> name.replaceAll("\\.base_layer(?=\\.|$)", ""))
        .findFirst()
        .orElse(branch.base().tensor().label());
  }

  private List<GraphEdit> removal() {
    List<GraphEdit> edits = new ArrayList<>();
    Set<Use> rewired = new HashSet<>();
    Set<Value> kept = new HashSet<>();
    for (Branch branch : branches) {
      Value sum = new Value(branch.add().scope(), branch.add().output().orElseThrow());
      kept.add(new Value(branch.add().scope(), branch.sum()));
      if (graph.leaves(sum)) {
        GraphNode producer = branch.add().scope().producer(branch.sum()).orElseThrow();
        int output = producer.part().proto().getOutputList().indexOf(branch.sum());
        edits.add(new RenameOutput(producer.part(), output, sum.name()));
      } else {
        graph
            .uses(sum)
            .forEach(u -> edits.add(new SetInput(u.node().part(), u.input(), branch.sum())));
      }
      rewired.addAll(graph.uses(sum));
    }
    Removal removal = new Removal(graph, rewired, kept);
    removal.remove(branches.stream().map(Branch::add).toList());
    edits.addAll(removal.edits());
    return edits;
  }
}

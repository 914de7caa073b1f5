package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.match.Site.Kind;
import dev.graft.match.WeightPath.Hop;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Finds every place where a stored weight acts, by the operator and never by the shape alone. */
final class SiteFinder {

  /** Words, positions and segments among the inputs of EmbedLayerNormalization. */
  private static final List<Integer> FUSED_TABLES = List.of(2, 3, 4);

  private final WeightTracer tracer;
  private final SiteNames names;
  private final List<Site> sites = new ArrayList<>();

  private SiteFinder(ModelGraph graph, SiteNames names) {
    this.tracer = WeightTracer.ofAll(graph);
    this.names = names;
  }

  static List<Site> find(ModelGraph graph, SiteNames names) {
    SiteFinder finder = new SiteFinder(graph, names);
    graph.nodes().forEach(finder::visit);
    return List.copyOf(finder.sites);
  }

  private void visit(GraphNode node) {
    if (node.hasReferringAttributes()) {
      // What it does depends on the call; to guess would be to turn weights the wrong way.
      return;
    }
    switch (node.operator()) {
      case "MatMul" -> linear(node, "", "");
      case "Gemm",
          "com.microsoft.FusedGemm",
          "com.microsoft.FusedMatMul",
          "com.microsoft.TransposeMatMul" ->
          linear(node, "transA", "transB");
      case "Gather" -> {
        if (node.intAttribute("axis", 0) == 0) {
          add(node, 0, p -> site(Kind.EMBEDDING, p, Layout.OUT_IN));
        }
      }
      case "com.microsoft.EmbedLayerNormalization" -> {
        for (int table : FUSED_TABLES) {
          add(node, table, p -> site(Kind.EMBEDDING, p, Layout.OUT_IN));
        }
      }
      case "Conv" -> convolution(node);
      case "com.microsoft.Attention", "com.microsoft.PackedAttention" ->
          add(node, 1, p -> site(Kind.LINEAR, p, Layout.IN_OUT));
      case "Slice", "Split" -> inProjection(node);
      case "MatMulInteger",
          "ConvInteger",
          "com.microsoft.MatMulNBits",
          "com.microsoft.DynamicQuantizeMatMul",
          "com.microsoft.MatMulIntegerToFloat",
          "com.microsoft.MatMulFpQ4",
          "com.microsoft.MatMulBnb4",
          "com.microsoft.QAttention" ->
          quantised(node, 1);
      case "QLinearMatMul", "QLinearConv", "com.microsoft.QGemm" -> quantised(node, 3);
      case "com.microsoft.QMoE" -> quantised(node, 2);
      case "com.microsoft.GatherBlockQuantized" -> quantisedTable(node);
      default -> {
        // Other operators do not project.
      }
    }
  }

  /**
   * A product with a stored matrix on either side: {@code x·W} with W in {@code [in, out]}, or
   * {@code W·x} with W in {@code [out, in]}, unless the operator's attribute turns that side.
   */
  private void linear(GraphNode node, String turnsLeft, String turnsRight) {
    float alpha = node.floatAttribute("alpha", 1f);
    Layout right = layout(Layout.IN_OUT, node, turnsRight);
    if (!add(node, 1, p -> linear(p, right, alpha))) {
      Layout left = layout(Layout.OUT_IN, node, turnsLeft);
      add(node, 0, p -> linear(p, left, alpha));
    }
  }

  private Optional<Site> linear(WeightPath path, Layout atNode, float alpha) {
    return site(Kind.LINEAR, path, atNode)
        .map(s -> new Site(s.kind(), s.path(), s.layout(), alpha, s.names()));
  }

  private static Layout layout(Layout plain, GraphNode node, String turning) {
    boolean turned = !turning.isEmpty() && node.intAttribute(turning, 0) != 0;
    return turned ? plain.transposed() : plain;
  }

  private void convolution(GraphNode node) {
    add(
        node,
        1,
        path ->
            path.tensor().shape().rank() < 3 || path.passes(WeightTracer::turns)
                ? Optional.empty()
                : Optional.of(plain(path.isQuantised() ? Kind.QUANTISED : Kind.CONV, path)));
  }

  /**
   * The packed projection of an {@code nn.MultiheadAttention} whose rows are taken apart as the
   * model runs. It lies in the file as PyTorch keeps it, or it would have lost its name.
   */
  private void inProjection(GraphNode node) {
    add(
        node,
        0,
        path ->
            site(Kind.LINEAR, path, Layout.OUT_IN)
                .filter(s -> path.root().name().endsWith(".in_proj_weight"))
                .filter(s -> path.values().size() == 1));
  }

  /** Packed weights have shapes of their own, so nothing is asked of them. */
  private void quantised(GraphNode node, int input) {
    Layout layout = QuantisedProducts.layout(node);
    add(
        node,
        input,
        path -> Optional.of(new Site(Kind.QUANTISED, path, layout, 1f, names.of(path))));
  }

  /** A packed weight that serves as a table too is brought to the table's shape first. */
  private void quantisedTable(GraphNode node) {
    Use table = new Use(node, 0);
    Optional<Value> value = node.input(0).flatMap(node.scope()::resolve);
    Optional<GraphNode> reshape =
        value
            .flatMap(v -> v.scope().producer(v.name()))
            .filter(p -> p.operator().equals("Reshape"));
    if (reshape.isEmpty()) {
      quantised(node, 0);
      return;
    }
    tracer.trace(reshape.get(), 0).stream()
        .map(path -> new WeightPath(path.tensor(), List.of(new Hop(table, value.get()))))
        .forEach(path -> sites.add(plain(Kind.QUANTISED, path)));
  }

  private Site plain(Kind kind, WeightPath path) {
    return new Site(kind, path, Layout.OUT_IN, 1f, names.of(path));
  }

  /** A site on a matrix. */
  private Optional<Site> site(Kind kind, WeightPath path, Layout atNode) {
    if (path.tensor().shape().rank() != 2) {
      return Optional.empty();
    }
    Layout layout = path.isTransposed() ? atNode.transposed() : atNode;
    Kind actual = path.isQuantised() ? Kind.QUANTISED : kind;
    return Optional.of(new Site(actual, path, layout, 1f, names.of(path)));
  }

  private boolean add(GraphNode node, int input, Function<WeightPath, Optional<Site>> maker) {
    List<Site> found =
        tracer.trace(node, input).stream().flatMap(p -> maker.apply(p).stream()).toList();
    sites.addAll(found);
    return !found.isEmpty();
  }
}

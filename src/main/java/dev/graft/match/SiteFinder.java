package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.match.Site.Kind;
import dev.graft.match.WeightPath.Step;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Finds every place where a stored weight acts, by the operator and never by the shape alone. */
final class SiteFinder {

  private final WeightTracer tracer;
  private final List<Site> sites = new ArrayList<>();

  private SiteFinder(ModelGraph graph) {
    this.tracer = new WeightTracer(graph);
  }

  static List<Site> find(ModelGraph graph) {
    SiteFinder finder = new SiteFinder(graph);
    graph.nodes().forEach(finder::visit);
    return List.copyOf(finder.sites);
  }

  private void visit(GraphNode node) {
    switch (node.operator()) {
      case "MatMul" -> {
        if (!matrix(node, 1, Layout.IN_OUT, 1f)) {
          matrix(node, 0, Layout.OUT_IN, 1f);
        }
      }
      case "Gemm" ->
          matrix(
              node,
              1,
              node.intAttribute("transB", 0) == 0 ? Layout.IN_OUT : Layout.OUT_IN,
              node.floatAttribute("alpha", 1f));
      case "com.microsoft.FusedMatMul", "com.microsoft.TransposeMatMul" ->
          matrix(
              node,
              1,
              node.intAttribute("transB", 0) == 0 ? Layout.IN_OUT : Layout.OUT_IN,
              node.floatAttribute("alpha", 1f));
      case "Gather" ->
          trace(node, 0)
              .filter(p -> rank(p) == 2 && node.intAttribute("axis", 0) == 0)
              .ifPresent(p -> add(Kind.EMBEDDING, node, p, Layout.OUT_IN));
      case "Conv" ->
          trace(node, 1)
              .filter(p -> rank(p) >= 3)
              .ifPresent(p -> add(Kind.CONV, node, p, Layout.OUT_IN));
      case "MatMulInteger",
          "QLinearMatMul",
          "com.microsoft.MatMulNBits",
          "com.microsoft.DynamicQuantizeMatMul",
          "com.microsoft.MatMulIntegerToFloat",
          "com.microsoft.QGemm",
          "com.microsoft.QMoE",
          "com.microsoft.MatMulFpQ4",
          "com.microsoft.MatMulBnb4" ->
          quantised(node, node.operator().equals("QLinearMatMul") ? 3 : 1);
      case "com.microsoft.GatherBlockQuantized" -> quantised(node, 0);
      default -> {
        // Other operators do not project.
      }
    }
  }

  private boolean matrix(GraphNode node, int input, Layout atNode, float alpha) {
    Optional<WeightPath> path = trace(node, input).filter(p -> rank(p) == 2);
    path.ifPresent(p -> {
      Layout layout = p.transposes() == Step.PRESENT ? atNode.transposed() : atNode;
      Kind kind = p.quantised() == Step.PRESENT ? Kind.QUANTISED : Kind.LINEAR;
      sites.add(new Site(kind, node, p, layout, alpha, SiteNames.of(node, p)));
    });
    return path.isPresent();
  }

  private void quantised(GraphNode node, int input) {
    trace(node, input).ifPresent(p -> add(Kind.QUANTISED, node, p, Layout.IN_OUT));
  }

  private void add(Kind kind, GraphNode node, WeightPath path, Layout layout) {
    Kind actual = path.quantised() == Step.PRESENT ? Kind.QUANTISED : kind;
    boolean turned = path.transposes() == Step.PRESENT;
    sites.add(
        new Site(
            actual,
            node,
            path,
            turned ? layout.transposed() : layout,
            1f,
            SiteNames.of(node, path)));
  }

  private Optional<WeightPath> trace(GraphNode node, int input) {
    return tracer.trace(node, input);
  }

  private static int rank(WeightPath path) {
    StoredTensor tensor = path.tensor();
    return tensor.shape().rank();
  }
}

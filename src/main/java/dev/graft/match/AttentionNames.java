package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which attention of the network a fused operator is. Its own name is a number; the value that it
 * makes kept the name that the layers it replaced had given it, and the layer behind it kept its
 * own.
 */
final class AttentionNames {

  private static final int MAX_STEPS = 8;
  private static final Pattern OUTPUT_LAYER =
      Pattern.compile("(.+)\\.(?:o_proj|out_proj|out_lin|c_proj|o|wo|to_out\\.0)");
  private static final Pattern BERT_OUTPUT_LAYER = Pattern.compile("(.+)\\.output\\.dense");

  private final ModelGraph graph;
  private final Function<Reading, List<SiteName>> nodeNames;

  /**
   * Prepares to name attentions.
   *
   * @param nodeNames the names that operators give themselves
   */
  AttentionNames(ModelGraph graph, Function<Reading, List<SiteName>> nodeNames) {
    this.graph = graph;
    this.nodeNames = nodeNames;
  }

  /**
   * The names of the attention that a node is, or that it projects for: behind a packed product lie
   * at most its bias and the cuts.
   */
  List<SiteName> of(GraphNode node) {
    Optional<GraphNode> attention =
        AttentionOps.projects(node) ? Optional.of(node) : behind(node, this::isFed);
    return attention.map(this::names).orElse(List.of());
  }

  private boolean isFed(Use use) {
    return AttentionOps.takesProjected(use.node()) && use.input() < 3;
  }

  private List<SiteName> names(GraphNode attention) {
    List<String> modules = new ArrayList<>();
    attention.output().flatMap(AttentionNames::outputPath).ifPresent(modules::add);
    if (modules.isEmpty()) {
      behind(attention, use -> isProduct(use.node())).stream()
          .flatMap(n -> nodeNames.apply(new Reading(new Use(n, 0), List.of())).stream())
          .flatMap(n -> attentionsOf(n.module()).stream())
          .forEach(modules::add);
    }
    return modules.stream().distinct().map(m -> new SiteName(m, NameRule.ATTENTION)).toList();
  }

  private static Optional<String> outputPath(String value) {
    int last = value.lastIndexOf('/');
    return value.startsWith("/") && last > 1
        ? Optional.of(value.substring(1, last).replace('/', '.'))
        : Optional.empty();
  }

  /** The attentions whose output layer may be called so. */
  private static List<String> attentionsOf(String outputLayer) {
    Matcher bert = BERT_OUTPUT_LAYER.matcher(outputLayer);
    if (bert.matches()) {
      return List.of(bert.group(1) + ".self", bert.group(1) + ".attention");
    }
    Matcher plain = OUTPUT_LAYER.matcher(outputLayer);
    return plain.matches() ? List.of(plain.group(1)) : List.of();
  }

  private Optional<GraphNode> behind(GraphNode node, Predicate<Use> wanted) {
    List<Value> level = outputs(node);
    Set<Value> seen = new HashSet<>(level);
    for (int i = 0; i < MAX_STEPS && !level.isEmpty(); i++) {
      List<Value> next = new ArrayList<>();
      for (Value value : level) {
        for (Use use : graph.uses(value)) {
          if (wanted.test(use)) {
            return Optional.of(use.node());
          }
          if (handsOn(use.node())) {
            outputs(use.node()).stream().filter(seen::add).forEach(next::add);
          }
        }
      }
      level = next;
    }
    return Optional.empty();
  }

  private static List<Value> outputs(GraphNode node) {
    return node.part().proto().getOutputList().stream()
        .filter(o -> !o.isEmpty())
        .map(o -> new Value(node.scope(), o))
        .toList();
  }

  private static boolean handsOn(GraphNode node) {
    return switch (node.operator()) {
      case "Add", "Slice", "Split", "Reshape", "Cast", "Identity" -> true;
      default -> false;
    };
  }

  private static boolean isProduct(GraphNode node) {
    return node.operator().equals("MatMul") || node.operator().equals("Gemm");
  }
}

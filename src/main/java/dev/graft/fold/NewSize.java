package dev.graft.fold;

import dev.graft.adapter.AdapterConfig;
import dev.graft.graph.GraphNode;
import dev.graft.match.Binding;
import dev.graft.match.BoundTarget;
import dev.graft.match.Reading;
import dev.graft.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * A number of labels or tokens that the adapter changes, and that configurations beside the model
 * state as well.
 *
 * @param kind what is counted
 * @param from how many the base has
 * @param to how many the output has
 */
record NewSize(Kind kind, long from, long to) {

  /** What is counted. */
  enum Kind {
    LABELS,
    TOKENS
  }

  /** Tasks whose head is over the vocabulary. */
  private static final Set<String> OVER_TOKENS = Set.of("CAUSAL_LM", "SEQ_2_SEQ_LM");

  /**
   * The new sizes of a model in one or several files.
   *
   * @param bindings where everything goes
   * @param config says what task the adapter is for
   */
  static List<NewSize> of(List<Binding> bindings, AdapterConfig config) {
    boolean overTokens = config.taskType().filter(OVER_TOKENS::contains).isPresent();
    List<NewSize> sizes = new ArrayList<>();
    for (Binding binding : bindings) {
      for (BoundTarget target : binding.bound()) {
        if (target instanceof BoundTarget.Whole whole && whole.place().gap().isEmpty()) {
          add(whole, overTokens, sizes);
        }
      }
    }
    return sizes.stream().distinct().toList();
  }

  private static void add(BoundTarget.Whole whole, boolean overTokens, List<NewSize> sizes) {
    Shape now = whole.replacement().value().shape();
    long elements = whole.place().tensor().shape().elements();
    if (now.rank() < 2 || now.elements() == elements) {
      return;
    }
    long from = elements / (now.elements() / now.dim(0));
    boolean isTable =
        whole.place().spots().stream()
            .flatMap(s -> s.readers().stream())
            .map(Reading::node)
            .anyMatch(NewSize::looksUp);
    Kind kind = isTable || overTokens ? Kind.TOKENS : Kind.LABELS;
    sizes.add(new NewSize(kind, from, now.dim(0)));
  }

  private static boolean looksUp(GraphNode node) {
    return node.operator().equals("Gather") || node.operator().endsWith("EmbedLayerNormalization");
  }
}

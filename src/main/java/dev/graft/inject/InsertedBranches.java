package dev.graft.inject;

import dev.graft.adapter.PeftKey;
import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.match.Turn;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.GraphEdit.RemoveInitializer;
import dev.graft.onnx.GraphEdit.RemoveNode;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The branches of an adapter that Graft put into a model. The record that the insertion left says
 * which initializers are the adapter's; nodes are known by their names. Nothing is taken on trust:
 * {@link HeldAdapter} inserts the adapter again and compares.
 */
final class InsertedBranches {

  /** How {@link Nodes} are named behind the module's part. */
  private static final Pattern NODE =
      Pattern.compile(".*/lora(_(embedding_)?[AB]|_magnitude_vector)?/.+");

  private static final Pattern PRODUCT = Pattern.compile(".*_without_lora(_\\d+)?");

  private final ModelGraph graph;
  private final InjectionRecord.Read record;
  private final AdapterName name;
  private final Pattern tensor;
  private final Set<GraphNode> nodes = new LinkedHashSet<>();

  private InsertedBranches(ModelGraph graph, InjectionRecord.Read record) {
    this.graph = graph;
    this.record = record;
    this.name = new AdapterName(record.as());
    this.tensor =
        Pattern.compile(
            "((?:.*\\.)?)(lora_A|lora_B|lora_embedding_A|lora_embedding_B|lora_magnitude_vector)%s(\\.weight|\\.bias)?"
                .formatted(Pattern.quote(name.infix())));
    graph.nodes().stream()
        .filter(n -> NODE.matcher(n.part().proto().getName()).matches())
        .forEach(nodes::add);
  }

  /**
   * Looks for them.
   *
   * @throws UnsupportedException if those of several adapters are there
   * @throws FormatException if some of the recorded tensors are gone
   */
  static Optional<InsertedBranches> in(ModelGraph graph) {
    List<InjectionRecord.Read> live =
        InjectionRecord.read(graph.model()).stream()
            .filter(
                record -> record.keys().keySet().stream().anyMatch(n -> isBranchTensor(graph, n)))
            .toList();
    if (live.size() > 1) {
      throw new UnsupportedException(
          "%s: holds the branches of %d adapters, %s; they can only be folded one by one: merge the adapters into the base instead (merge -a)"
              .formatted(
                  graph.model().path(),
                  live.size(),
                  live.stream().map(r -> "'" + r.as() + "'").toList()));
    }
    return live.stream().findFirst().map(record -> new InsertedBranches(graph, record));
  }

  private static boolean isBranchTensor(ModelGraph graph, String name) {
    return name.contains("lora_") && graph.main().initializer(name).isPresent();
  }

  /** The name that the adapter has in the model. */
  AdapterName name() {
    return name;
  }

  /** What they are made of, and the edits that take them out. */
  Held held() {
    List<HeldTensor> tensors = new ArrayList<>();
    Map<String, HeldModule> modules = new LinkedHashMap<>();
    Set<StoredTensor> removed = new LinkedHashSet<>();
    for (Map.Entry<String, String> recorded : record.keys().entrySet()) {
      Matcher parts = tensor.matcher(recorded.getKey());
      if (parts.matches()) {
        StoredTensor stored = stored(recorded.getKey());
        String module = PeftKey.module(recorded.getValue());
        tensors.add(tensor(parts, recorded.getValue(), stored));
        removed.add(stored);
        module(parts, module, stored).ifPresent(m -> modules.put(m.name(), m));
        graph.main().initializer(scaleName(parts.group(1))).ifPresent(removed::add);
      }
    }
    List<GraphEdit> edits = new ArrayList<>();
    nodes.forEach(node -> edits.add(new RemoveNode(node.part())));
    removed.forEach(initializer -> edits.add(new RemoveInitializer(initializer)));
    nodes.forEach(node -> restore(node, edits));
    return new Held(record.adapter(), List.copyOf(modules.values()), tensors, edits);
  }

  private StoredTensor stored(String recorded) {
    return graph
        .main()
        .initializer(recorded)
        .orElseThrow(() -> changed("its tensor '" + recorded + "' is gone"));
  }

  private FormatException changed(String how) {
    return new FormatException(
        "%s: the branches of '%s' are not as Graft inserted them: %s; merge the adapter into the base instead (merge -a)"
            .formatted(graph.model().path(), record.adapter(), how));
  }

  private HeldTensor tensor(Matcher parts, String key, StoredTensor stored) {
    String ending = Optional.ofNullable(parts.group(3)).orElse("");
    boolean isVector = ending.equals(".bias") || parts.group(2).equals("lora_magnitude_vector");
    boolean isTurned = !isVector && stored.shape().rank() == 2;
    return new HeldTensor(key, stored, isTurned ? Turn.TRANSPOSED : Turn.AS_IS);
  }

  /** A is {@code [in, r]}, a kernel {@code [r, in, k..]}. */
  private Optional<HeldModule> module(Matcher parts, String module, StoredTensor stored) {
    if (!parts.group(2).endsWith("_A")) {
      return Optional.empty();
    }
    int rank = Math.toIntExact(stored.shape().dim(stored.shape().rank() == 2 ? 1 : 0));
    StoredTensor scale = stored(scaleName(parts.group(1)));
    float[] factor = new BaseValues(graph.model()).of(scale);
    if (factor.length != 1) {
      throw changed("the scale '%s' is no single number".formatted(scale.label()));
    }
    return Optional.of(new HeldModule(module, rank, factor[0]));
  }

  private String scaleName(String stem) {
    return stem + "lora_scaling" + name.infix();
  }

  /** Whoever reads the sum reads again what the branch was added to. */
  private void restore(GraphNode node, List<GraphEdit> edits) {
    String sum = node.output().orElse("");
    Value value = new Value(node.scope(), sum);
    List<Use> readers =
        graph.uses(value).stream().filter(use -> !nodes.contains(use.node())).toList();
    if (readers.isEmpty() && !graph.leaves(value)) {
      return;
    }
    String base = base(node);
    Optional<GraphNode> producer = node.scope().producer(base);
    if (producer.isPresent() && PRODUCT.matcher(base).matches()) {
      int output = producer.get().part().proto().getOutputList().indexOf(base);
      edits.add(new RenameOutput(producer.get().part(), output, sum));
    } else {
      readers.forEach(use -> edits.add(new SetInput(use.node().part(), use.input(), base)));
    }
  }

  private String base(GraphNode last) {
    GraphNode node = last;
    while (true) {
      String first = node.input(0).orElseThrow(() -> changed(last + " reads nothing"));
      Optional<GraphNode> producer = node.scope().producer(first).filter(nodes::contains);
      if (producer.isEmpty()) {
        return first;
      }
      node = producer.get();
    }
  }
}

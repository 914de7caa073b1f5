package dev.graft.inject;

import dev.graft.adapter.PeftAdapter;
import dev.graft.error.FormatException;
import dev.graft.error.GraftException;
import dev.graft.error.UnsupportedException;
import dev.graft.fold.BranchlessBase;
import dev.graft.fold.MergePlan;
import dev.graft.fold.MergeRequest;
import dev.graft.graph.ModelGraph;
import dev.graft.match.Binder;
import dev.graft.match.BoundTarget;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.GraphEdit.InsertNodes;
import dev.graft.onnx.GraphEdit.RemoveInitializer;
import dev.graft.onnx.GraphEdit.RemoveNode;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.MessageSpan;
import dev.graft.onnx.NodePart;
import dev.graft.onnx.OnnxModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The adapter that a model holds as branches of its own: {@code y = W·x + s·B(A·x)}. Folding it is
 * a merge of that adapter into the model without the branches.
 *
 * <p>Branches that Graft inserted are known by its record; they are inserted once more into the
 * model without them, and what comes out must be what was there, node by node. Those of other tools
 * are known by what the nodes compute, see {@link ForeignBranches}.
 */
public final class HeldAdapter {

  private static final Pattern FACTOR = Pattern.compile("(.*\\.)?lora_(embedding_)?[AB](\\..*)?");
  private static final Pattern FOLDER = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._ -]{0,99}");
  private static final int SHOWN = 5;

  private final OnnxModel model;
  private final OnnxModel base;
  private final Held held;
  private final Optional<AdapterName> inserted;
  private final Map<String, String> weights;

  private HeldAdapter(
      OnnxModel model, Held held, Optional<AdapterName> inserted, Map<String, String> weights) {
    this.model = model;
    this.held = held;
    this.inserted = inserted;
    this.weights = Map.copyOf(weights);
    this.base = model.seenAfter(held.removal());
  }

  /**
   * Looks for branches.
   *
   * @throws FormatException if there are none, or they are not what the model's record says
   * @throws UnsupportedException if some are of a form that is not known, or several adapters' are
   *     there
   */
  public static HeldAdapter of(OnnxModel model) {
    ModelGraph graph = ModelGraph.of(model);
    Optional<InsertedBranches> own = InsertedBranches.in(graph);
    HeldAdapter found;
    if (own.isPresent()) {
      found = new HeldAdapter(model, own.get().held(), Optional.of(own.get().name()), Map.of());
    } else {
      ForeignBranches foreign = ForeignBranches.in(graph);
      found = new HeldAdapter(model, foreign.held(), Optional.empty(), foreign.weights());
    }
    found.requireAll();
    return found;
  }

  /**
   * A folder for the adapter that nobody has, called as the adapter is: its name comes from a file
   * that a stranger may have written.
   *
   * @param above where it may be made
   */
  public Path folder(Path above) {
    String name = FOLDER.matcher(held.name()).matches() ? held.name() : "branches";
    return above.resolve("graft-" + UUID.randomUUID()).resolve(name);
  }

  /** Nothing is folded if something would stay behind that acts beside it. */
  private void requireAll() {
    ModelGraph left = ModelGraph.of(base);
    List<String> factors =
        left.scopes().stream()
            .flatMap(scope ->
                new TreeSet<>(scope.initializerNames())
                    .stream()
                        .filter(n -> FACTOR.matcher(n).matches())
                        .filter(n -> scope.input(n).isEmpty()))
            .toList();
    if (!factors.isEmpty()) {
      throw new UnsupportedException(
          "%s: %d tensors are called like factors of LoRA branches, but are in no form that can be folded (%s): known are products x·A·B, scaled or not, added to the product of the same x, and what Graft inserted; merge the adapter into the base instead (merge -a)"
              .formatted(
                  model.path(),
                  factors.size(),
                  factors.stream().limit(SHOWN).collect(Collectors.joining(", "))));
    }
    if (held.modules().isEmpty()) {
      throw new FormatException(
          model.path()
              + ": holds no LoRA branches, so there is nothing to fold; name an adapter with -a");
    }
  }

  /**
   * Plans their fold.
   *
   * @param request what to merge; the adapter is written to its folder, which must be there for as
   *     long as the plan
   * @throws GraftException if it cannot be done
   */
  public MergePlan plan(MergeRequest request) {
    Path folder = request.adapter();
    PeftAdapter adapter = new HeldFiles(model).write(held, folder);
    inserted.ifPresent(name -> requireSame(adapter, request.options(), name));
    List<String> modules = held.modules().stream().map(HeldModule::name).toList();
    MergePlan plan =
        MergePlan.of(request, new BranchlessBase(model, base, held.removal(), modules));
    plan.binding().bound().forEach(this::requireWeight);
    return plan;
  }

  /** The name found the place again; it has to be the one that the branch is beside. */
  private void requireWeight(BoundTarget target) {
    String expected = weights.get(target.name());
    boolean isSame =
        expected == null
            || target.place().spots().stream()
                .allMatch(s -> s.twins().stream().anyMatch(t -> t.label().equals(expected)));
    if (!isSame) {
      throw new UnsupportedException(
          "%s: the branch at '%s' is beside the weight '%s', but the name leads to '%s'; merge the adapter into the base instead (merge -a)"
              .formatted(model.path(), target.name(), expected, target.place().tensor().label()));
    }
  }

  private void requireSame(PeftAdapter adapter, Binder.Options options, AdapterName name) {
    List<GraphEdit> again = Injection.of(base, adapter, options, name).edits();
    requireEqual(
        edits(held.removal(), RemoveNode.class).map(e -> e.node().proto()).toList(),
        edits(again, InsertNodes.class).flatMap(e -> e.nodes().stream()).toList());
    requireEqual(
        edits(held.removal(), RemoveInitializer.class).map(e -> e.tensor().name()).toList(),
        edits(again, AddInitializer.class).map(e -> e.tensor().name()).toList());
    requireEqual(
        held.removal().stream().flatMap(e -> Wire.of(e).stream()).map(Wire::turned).toList(),
        again.stream().flatMap(e -> Wire.of(e).stream()).toList());
  }

  /** The same things, as often, in any order. */
  private <T> void requireEqual(List<T> taken, List<T> inserted) {
    if (!counted(taken).equals(counted(inserted))) {
      throw new FormatException(
          "%s: the branches of '%s' are not as this version of Graft inserts them, or were changed since (%d parts are there, %d of %d expected ones among them); merge the adapter into the base instead (merge -a)"
              .formatted(
                  model.path(),
                  held.name(),
                  taken.size(),
                  inserted.stream().filter(counted(taken)::containsKey).count(),
                  inserted.size()));
    }
  }

  private static <E extends GraphEdit> Stream<E> edits(List<GraphEdit> edits, Class<E> kind) {
    return edits.stream().filter(kind::isInstance).map(kind::cast);
  }

  private static <T> Map<T, Long> counted(List<T> some) {
    return some.stream().collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
  }

  /** A place that has one name before an edit and another one after it. */
  private record Wire(MessageSpan node, String place, String before, String after) {

    static Optional<Wire> of(GraphEdit edit) {
      return switch (edit) {
        case RenameOutput(NodePart node, int output, String name) ->
            Optional.of(
                new Wire(node.span(), "output " + output, node.proto().getOutput(output), name));
        case SetInput(NodePart node, int input, String name) ->
            Optional.of(
                new Wire(node.span(), "input " + input, node.proto().getInput(input), name));
        default -> Optional.empty();
      };
    }

    Wire turned() {
      return new Wire(node, place, /* before= */ after, /* after= */ before);
    }
  }
}

package dev.graft.inject;

import dev.graft.adapter.PeftAdapter;
import dev.graft.error.BindingException;
import dev.graft.error.UnsupportedException;
import dev.graft.fold.Rewrite;
import dev.graft.graph.ModelGraph;
import dev.graft.io.OutputGuard;
import dev.graft.match.Binder;
import dev.graft.match.Binding;
import dev.graft.match.BoundTarget;
import dev.graft.match.Purpose;
import dev.graft.match.SiteIndex;
import dev.graft.match.SizeTrace;
import dev.graft.onnx.EditedModel;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.NodePart;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.proto.ModelProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * An adapter's branches beside the weights of a model, thought through: every target bound, every
 * refusal made, nothing written yet.
 */
public final class Injection {

  private final ModelGraph graph;
  private final PeftAdapter adapter;
  private final AdapterName name;
  private final Binding binding;
  private final Rewrite rewrite;
  private final List<GraphEdit> edits;
  private final List<Trainable> trainables;
  private final List<String> slots;

  private Injection(ModelGraph graph, PeftAdapter adapter, Binding binding, AdapterName name) {
    this.name = name;
    this.graph = graph;
    this.adapter = adapter;
    this.binding = binding;
    this.slots = List.of();
    Division division = Division.of(binding.bound());
    this.rewrite = Rewrite.of(graph, adapter, with(binding, division.folded()));
    AdapterInitializers tensors = new AdapterInitializers(graph, binding.prefix(), name);
    BranchWriter writer = new BranchWriter(graph, tensors, name, renamed(rewrite.edits()));
    List<GraphEdit> branches = new ArrayList<>();
    division.sites().forEach(site -> branches.addAll(writer.edits(site)));
    for (BoundTarget.Whole head : division.heads()) {
      branches.addAll(new FloatHead(graph, tensors).edits(head));
    }
    this.trainables = trainables(tensors, division.folded());
    this.edits = all(tensors.edits(), branches, rewrite.edits());
  }

  private Injection(ModelGraph graph, PeftAdapter adapter, Binding binding, SlotSettings settings) {
    this.name = settings.name();
    this.graph = graph;
    this.adapter = adapter;
    this.binding = binding;
    this.rewrite = Rewrite.of(graph, adapter, with(binding, List.of()));
    Division division = Division.of(binding.bound());
    AdapterSlots tensors = new AdapterSlots(graph, binding.prefix(), settings);
    BranchWriter writer = new BranchWriter(graph, tensors, name, Map.of());
    List<GraphEdit> branches = new ArrayList<>();
    division.sites().forEach(site -> branches.addAll(writer.edits(site)));
    division.heads().forEach(tensors::add);
    for (BoundTarget target : division.folded()) {
      if (target instanceof BoundTarget.Whole whole) {
        tensors.add(whole);
      } else {
        throw new UnsupportedException(
            "%s: no slot is known for what the adapter changes there (%s); merge the adapter instead"
                .formatted(target.label(), kind(target)));
      }
    }
    this.slots = tensors.inputs();
    this.trainables = tensors.trainables();
    this.edits = all(tensors.edits(), branches, List.of());
  }

  private static String kind(BoundTarget target) {
    return target instanceof BoundTarget.Rows ? "rows of a table" : "a bias";
  }

  private static List<GraphEdit> all(
      List<GraphEdit> initializers, List<GraphEdit> branches, List<GraphEdit> folded) {
    Set<NodePart> withBranch = renamed(branches).keySet();
    List<GraphEdit> all = new ArrayList<>(initializers);
    all.addAll(branches);
    folded.stream().filter(edit -> !renames(edit, withBranch)).forEach(all::add);
    return List.copyOf(all);
  }

  /**
   * Binds an adapter to a model and plans its branches.
   *
   * @param model the base
   * @param adapter the adapter
   * @param options how names are joined
   * @param name the adapter's name in the model
   * @throws dev.graft.error.GraftException if it cannot be done
   */
  public static Injection of(
      OnnxModel model, PeftAdapter adapter, Binder.Options options, AdapterName name) {
    ModelGraph graph = ModelGraph.of(model);
    return new Injection(graph, adapter, bound(graph, adapter, options), name);
  }

  /**
   * Binds an adapter to a model and plans inputs for its tensors in the places of the tensors
   * themselves.
   *
   * @param model the base
   * @param adapter an adapter that says where slots are wanted; its values are not used
   * @param options how names are joined
   * @param settings how the slots are made
   * @throws dev.graft.error.GraftException if it cannot be done
   */
  public static Injection ofSlots(
      OnnxModel model, PeftAdapter adapter, Binder.Options options, SlotSettings settings) {
    ModelGraph graph = ModelGraph.of(model);
    return new Injection(graph, adapter, bound(graph, adapter, options), settings);
  }

  private static Binding bound(ModelGraph graph, PeftAdapter adapter, Binder.Options options) {
    adapter.requireFoldable();
    Binding binding = Binder.bind(SiteIndex.of(graph), adapter, options.to(Purpose.BRANCH));
    binding.requireComplete();
    if (binding.bound().isEmpty()) {
      throw new BindingException(adapter.name() + ": the adapter holds nothing to insert");
    }
    return binding;
  }

  /** Those of the branches, then what is replaced whole under its name in the base. */
  private List<Trainable> trainables(AdapterInitializers tensors, List<BoundTarget> folded) {
    List<Trainable> all = new ArrayList<>(tensors.trainables());
    for (BoundTarget target : folded) {
      if (target instanceof BoundTarget.Whole whole) {
        Trainable.Share share = new Trainable.Share(whole.place().outputs(), whole.valueOutputs());
        for (String name : rewrite.initializers(whole)) {
          all.add(
              new Trainable(
                  name, whole.replacement().value(), SizeTrace.shape(whole), whole.turn(), share));
        }
      }
    }
    return List.copyOf(all);
  }

  private static Binding with(Binding binding, List<BoundTarget> some) {
    return new Binding(
        binding.model(), binding.adapter(), binding.prefix(), some, List.of(), List.of());
  }

  /** An Add behind a product takes its name; the branch goes between the two. */
  private static Map<NodePart, String> renamed(List<GraphEdit> edits) {
    Map<NodePart, String> renamed = new HashMap<>();
    for (GraphEdit edit : edits) {
      if (edit instanceof RenameOutput(NodePart node, int output, String name) && output == 0) {
        renamed.put(node, name);
      }
    }
    return renamed;
  }

  private static boolean renames(GraphEdit edit, Set<NodePart> nodes) {
    return edit instanceof RenameOutput(NodePart node, int output, String _)
        && output == 0
        && nodes.contains(node);
  }

  /** The base. */
  public ModelGraph graph() {
    return graph;
  }

  /** The adapter. */
  public PeftAdapter adapter() {
    return adapter;
  }

  /** Which target goes where. */
  public Binding binding() {
    return binding;
  }

  /** The adapter's name in the model. */
  public AdapterName name() {
    return name;
  }

  /** All changes of the graph. */
  public List<GraphEdit> edits() {
    return edits;
  }

  /**
   * The adapter's tensors in the graph: those of the branches under names of their own, and whole
   * ones such as a head or a bias in the place of the base's. A tensor that the file holds several
   * times is there as often.
   */
  public List<Trainable> trainables() {
    return trainables;
  }

  /** The inputs that the model gets for an adapter at run time; none where its values are in it. */
  public List<String> slots() {
    return slots;
  }

  /** The model with its branches, without the values of large tensors and of new ones. */
  public ModelProto skeleton() {
    return EditedModel.of(graph.model(), edits);
  }

  /**
   * Writes the model with its branches, whole or not at all.
   *
   * @param tool name and version for the record in the model
   * @param output where to
   * @throws dev.graft.error.GraftException if it cannot be done; then nothing has changed
   */
  public Rewrite.Written write(String tool, Rewrite.Output output) {
    OutputGuard.check(rewrite.inputs(), output.path());
    String key = InjectionRecord.key(graph.model());
    return rewrite.write(new Rewrite.Draft(edits, key, InjectionRecord.json(tool, this)), output);
  }
}

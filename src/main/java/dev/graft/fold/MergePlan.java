package dev.graft.fold;

import dev.graft.adapter.PeftAdapter;
import dev.graft.error.BindingException;
import dev.graft.error.UnsupportedException;
import dev.graft.fold.TensorPlanner.Home;
import dev.graft.fold.TensorPlanner.Move;
import dev.graft.io.ByteSource;
import dev.graft.match.Binding;
import dev.graft.match.BoundTarget;
import dev.graft.match.SetBinder;
import dev.graft.match.SiteIndex;
import dev.graft.match.SizeTrace;
import dev.graft.match.Spot;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.ModelPatch;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A merge that has been thought through: every target bound, every refusal made, nothing written
 * yet.
 */
public final class MergePlan {

  private final MergeRequest request;
  private final OnnxModel model;
  private final Optional<RestoredBase> restored;
  private final List<Path> baseFiles;
  private final long baseBytes;
  private final List<Provenance> earlier;
  private final PeftAdapter adapter;
  private final Background<String> adapterSha256;
  private final Binding binding;
  private final List<Move> moves;
  private final Map<Home.Key, Integer> places = new HashMap<>();
  private final Optional<BranchlessBase> branchless;
  private final List<GraphEdit> edits;
  private final List<NewSize> newSizes;

  private MergePlan(MergeBase base, Opened opened, Binding binding, List<NewSize> newSizes) {
    this.request = base.request();
    this.model = base.model();
    this.restored = base.restored();
    this.branchless = base.branchless();
    this.baseFiles = base.files();
    this.baseBytes = base.bytes();
    this.adapter = opened.adapter();
    this.adapterSha256 = opened.sha256();
    this.earlier = base.earlier();
    this.binding = binding;
    binding.requireComplete();
    if (binding.bound().isEmpty()) {
      throw new BindingException(
          adapter.name() + ": the adapter holds nothing to fold; a merge would be a copy");
    }
    this.moves = new TensorPlanner(base.graph(), request.weight()).plan(binding.bound());
    moves.forEach(move -> places.put(move.home().key(), places.size()));
    this.edits = MergeEdits.of(base.graph(), moves, SizeTrace.of(base.graph(), binding.bound()));
    this.newSizes = newSizes;
  }

  /**
   * Reads the two, binds them and checks all that can be checked without reading weights.
   *
   * @throws dev.graft.error.GraftException if the merge cannot be done
   */
  public static MergePlan of(MergeRequest request) {
    return of(List.of(request)).getFirst();
  }

  /**
   * The same for a model in several files, such as an encoder and its decoders: one adapter, and
   * every target has a place in at least one of them.
   *
   * @param requests one for each file, all with the same adapter, weight and names
   * @throws dev.graft.error.GraftException if the merge cannot be done
   */
  public static List<MergePlan> of(List<MergeRequest> requests) {
    return of(requests, () -> requests.stream().map(MergeBase::open).toList());
  }

  /**
   * The same for the base of a model that another adapter has been merged into.
   *
   * @param request what to merge; its model is the merged one
   * @param restored the base, open until the merge is done
   * @throws dev.graft.error.GraftException if the merge cannot be done
   */
  public static MergePlan of(MergeRequest request, RestoredBase restored) {
    return of(List.of(request), () -> List.of(MergeBase.of(request, restored))).getFirst();
  }

  /**
   * The same for the adapter that a model holds as branches.
   *
   * @param request what to merge
   * @param branchless the model without the branches
   * @throws dev.graft.error.GraftException if the merge cannot be done
   */
  public static MergePlan of(MergeRequest request, BranchlessBase branchless) {
    return of(List.of(request), () -> List.of(MergeBase.of(request, branchless))).getFirst();
  }

  private static List<MergePlan> of(
      List<MergeRequest> requests, Supplier<List<MergeBase>> opening) {
    requests.forEach(MergeChecks::requireWeight);
    Background<PeftAdapter> reading =
        Background.start(() -> foldable(requests.getFirst().adapter()));
    // On the second processor while the first one binds; and the compiler sees the hash at work
    // before the weights need it.
    Background<String> adapterSha256 = Background.start(() -> reading.get().sha256());
    List<MergeBase> bases = opening.get();
    PeftAdapter adapter = reading.get();
    Opened opened = new Opened(adapter, adapterSha256);
    bases.forEach(base -> MergeChecks.check(base, opened, bases));
    List<SiteIndex> sites = bases.stream().map(MergeBase::sites).toList();
    List<Binding> bindings = SetBinder.bind(sites, adapter, requests.getFirst().options());
    List<NewSize> newSizes = NewSize.of(bindings, adapter.config());
    List<MergePlan> plans = new ArrayList<>();
    for (int i = 0; i < bases.size(); i++) {
      plans.add(new MergePlan(bases.get(i), opened, bindings.get(i), newSizes));
    }
    return plans;
  }

  /** An adapter, whose hash takes longer than all the rest of planning. */
  record Opened(PeftAdapter adapter, Background<String> sha256) {}

  private static PeftAdapter foldable(Path path) {
    PeftAdapter adapter = PeftAdapter.open(path);
    adapter.requireFoldable();
    return adapter;
  }

  /** What was asked for. */
  public MergeRequest request() {
    return request;
  }

  /** The base. */
  public OnnxModel model() {
    return model;
  }

  /** What the base is read from, if it is no file of its own. */
  Optional<RestoredBase> restored() {
    return restored;
  }

  /** The adapter. */
  public PeftAdapter adapter() {
    return adapter;
  }

  /** SHA-256 of the adapter's files. */
  public String adapterSha256() {
    return adapterSha256.get();
  }

  /** Which target goes where. */
  public Binding binding() {
    return binding;
  }

  /** Adapters that the base holds already, oldest first. */
  public List<Provenance> earlier() {
    return earlier;
  }

  /** Bytes of the tensors that change. */
  public long touchedBytes() {
    return moves.stream().mapToLong(m -> m.tensor().lengthBytes()).sum();
  }

  /** Bytes that copies of shared weights add. */
  public long splitBytes() {
    return moves.stream()
        .filter(m -> m.spot().filter(Spot::isSplit).isPresent())
        .mapToLong(m -> m.tensor().lengthBytes())
        .sum();
  }

  /** Bytes that are written beside a copy of the base: of copies, new tensors and grown ones. */
  public long addedBytes() {
    return tensors().stream()
        .filter(t -> t.isAdded() || t.start().isEmpty())
        .mapToLong(FoldedTensor::lengthBytes)
        .sum();
  }

  /** What changes in the graph itself, in the order of the edits; empty as a rule. */
  public List<GraphChange> graphChanges() {
    List<GraphChange> changes =
        new ArrayList<>(branchless.map(BranchlessBase::changes).orElse(List.of()));
    changes.addAll(GraphChange.of(edits));
    return changes;
  }

  /** Whether the adapter is one that the model holds itself, as branches. */
  public boolean foldsOwnBranches() {
    return branchless.isPresent();
  }

  /** Numbers of labels or tokens that a configuration beside the model states. */
  List<NewSize> newSizes() {
    return newSizes;
  }

  /** The edits of the graph. */
  List<GraphEdit> edits() {
    return edits;
  }

  /** Length of the base with its data files. */
  public long baseBytes() {
    return baseBytes;
  }

  /**
   * Refuses what needs another layout of the files than the model has.
   *
   * @throws UnsupportedException if there is anything
   */
  void requireSameLayout() {
    String path = request.model().toString();
    if (!graphChanges().isEmpty()) {
      GraphChange first = graphChanges().getFirst();
      throw new UnsupportedException(
          "%s: the adapter changes more than values (%s '%s': %s); in place keeps the layout: write a new file with -o"
              .formatted(path, first.kind(), first.name(), first.detail()));
    }
    if (addedBytes() > 0) {
      throw new UnsupportedException(
          path
              + ": the adapter splits or adds a tensor; in place keeps the layout: write a new file with -o");
    }
  }

  /** The data files that the model has now. */
  List<InPlaceFile> places() {
    return restored
        .map(RestoredBase::places)
        .orElseGet(() -> {
          List<InPlaceFile> places = new ArrayList<>();
          model.dataFiles().forEach((name, path) -> places.add(new InPlaceFile(name, name, path)));
          return places;
        });
  }

  /** The files that are read and stay as they are: in place, those of the adapter alone. */
  public List<Path> unchangedInputs() {
    return request.place() == MergeRequest.Place.IN_PLACE ? adapter.files() : inputs();
  }

  /** Every file that is read. */
  public List<Path> inputs() {
    List<Path> inputs = new ArrayList<>(baseFiles);
    if (!foldsOwnBranches()) {
      inputs.addAll(adapter.files());
    }
    return inputs;
  }

  /**
   * The tensors with new values: those of the bound targets in their order, then those of targets
   * that the file holds several times.
   */
  List<FoldedTensor> tensors() {
    return moves.stream().map(Move::tensor).toList();
  }

  /**
   * The stored tensors that take new values; where several initializers are the same bytes, all of
   * them.
   */
  IdentityHashMap<StoredTensor, FoldedTensor> inPlace() {
    IdentityHashMap<StoredTensor, FoldedTensor> inPlace = new IdentityHashMap<>();
    for (Move move : moves) {
      if (!move.tensor().isAdded()) {
        move.spot().orElseThrow().twins().forEach(t -> inPlace.put(t, move.tensor()));
      }
    }
    return inPlace;
  }

  /** Which of the written tensors, counted from 0, is the first place of a bound target. */
  public int tensorOf(BoundTarget target) {
    Integer place = places.get(Home.first(target).key());
    if (place == null) {
      throw new IllegalArgumentException(target.name() + " is not bound by this plan");
    }
    return place;
  }

  /** The output as changes to the base. */
  ModelPatch patch(ByteSource modelFile) {
    ModelPatch patch = new ModelPatch(model, modelFile);
    for (FoldedTensor tensor : tensors()) {
      if (!tensor.isAdded()) {
        tensor.start().ifPresent(stored -> patch.replaceValues(stored, tensor));
      }
    }
    edits.forEach(patch::apply);
    branchless.ifPresent(base -> base.removalBeside(edits).forEach(patch::apply));
    return patch;
  }
}

package dev.graft.fold;

import dev.graft.adapter.PeftAdapter;
import dev.graft.error.BindingException;
import dev.graft.error.UsageException;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.io.InputFile;
import dev.graft.io.OutputGuard;
import dev.graft.match.Binder;
import dev.graft.match.Binding;
import dev.graft.match.BoundTarget;
import dev.graft.match.SiteIndex;
import dev.graft.onnx.ModelPatch;
import dev.graft.onnx.NewTensor;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.NodeProto;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A merge that has been thought through: every target bound, every refusal made, nothing written
 * yet.
 */
public final class MergePlan {

  private final MergeRequest request;
  private final OnnxModel model;
  private final PeftAdapter adapter;
  private final String adapterSha256;
  private final Binding binding;
  private final List<Provenance> earlier;
  private final ModelGraph graph;
  private final List<FoldedTensor> tensors = new ArrayList<>();

  private MergePlan(MergeRequest request) {
    this.request = request;
    this.model = OnnxModel.open(request.model());
    this.adapter = PeftAdapter.open(request.adapter());
    adapter.requireFoldable();
    adapter.requireFinite();
    this.adapterSha256 = adapter.sha256();
    this.earlier = Provenance.of(model);
    requireNew();
    OutputGuard.check(inputs(), request.output());
    this.graph = ModelGraph.of(model);
    this.binding = Binder.bind(SiteIndex.of(graph), adapter, request.options());
    binding.requireComplete();
    if (binding.bound().isEmpty()) {
      throw new BindingException(
          adapter.name() + ": the adapter holds nothing to fold; a merge would be a copy");
    }
    for (BoundTarget target : binding.bound()) {
      tensors.add(folded(target));
    }
  }

  /**
   * Reads the two, binds them and checks all that can be checked without reading weights.
   *
   * @throws dev.graft.error.GraftException if the merge cannot be done
   */
  public static MergePlan of(MergeRequest request) {
    if (!Double.isFinite(request.weight()) || request.weight() == 0) {
      throw new UsageException(
          "the adapter's weight is "
              + request.weight()
              + ", expected a finite number other than 0");
    }
    return new MergePlan(request);
  }

  /** What was asked for. */
  public MergeRequest request() {
    return request;
  }

  /** The base. */
  public OnnxModel model() {
    return model;
  }

  /** The adapter. */
  public PeftAdapter adapter() {
    return adapter;
  }

  /** SHA-256 of the adapter's files. */
  public String adapterSha256() {
    return adapterSha256;
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
    return tensors.stream().mapToLong(FoldedTensor::lengthBytes).sum();
  }

  /** Bytes that copies of shared weights add. */
  public long splitBytes() {
    long bytes = 0;
    for (int i = 0; i < tensors.size(); i++) {
      bytes += binding.bound().get(i).place().isSplit() ? tensors.get(i).lengthBytes() : 0;
    }
    return bytes;
  }

  /** Every file that is read. */
  public List<Path> inputs() {
    List<Path> inputs = new ArrayList<>();
    inputs.add(request.model());
    inputs.addAll(model.dataFiles().values());
    inputs.addAll(adapter.files());
    return inputs;
  }

  /** The tensors with new values, in the order of the bound targets. */
  List<FoldedTensor> tensors() {
    return tensors;
  }

  /** Whether some input of a node is moved to a copy of its weight. */
  boolean isRewired(NodeProto node) {
    return binding.bound().stream()
        .flatMap(t -> t.place().split().stream())
        .anyMatch(u -> u.node().part().proto().equals(node));
  }

  /** The output as changes to the base. */
  ModelPatch patch(InputFile modelFile) {
    ModelPatch patch = new ModelPatch(model, modelFile);
    for (int i = 0; i < tensors.size(); i++) {
      FoldedTensor tensor = tensors.get(i);
      BoundTarget target = binding.bound().get(i);
      if (tensor.copyName().isEmpty()) {
        patch.replaceValues(tensor.base(), tensor);
        continue;
      }
      String name = tensor.outputName();
      patch.addInitializer(
          new NewTensor(name, tensor.base().dtype(), tensor.base().shape(), tensor));
      for (Use use : target.place().split()) {
        patch.rewireInput(use.node().part(), use.input(), name);
      }
    }
    return patch;
  }

  private FoldedTensor folded(BoundTarget target) {
    Change change =
        switch (target) {
          case BoundTarget.Lora lora ->
              new Change.LowRank(lora.pair().a(), lora.pair().b(), scale(lora), lora.layout());
          case BoundTarget.Whole whole ->
              new Change.Whole(whole.replacement().value(), whole.turn());
        };
    StoredTensor tensor = target.place().tensor();
    Optional<String> copy =
        target.place().isSplit()
            ? Optional.of(graph.freshName(tensor.label() + "/" + target.name()))
            : Optional.empty();
    return new FoldedTensor(target.name(), tensor, change, copy);
  }

  /**
   * The factor on B·A: PEFT's scaling and the user's weight, less what the operator multiplies
   * itself.
   */
  private float scale(BoundTarget.Lora lora) {
    return (float) (lora.pair().scale() * request.weight() / lora.alpha());
  }

  private void requireNew() {
    if (request.repeat() == MergeRequest.Repeat.ALLOWED) {
      return;
    }
    for (Provenance record : earlier) {
      if (record.adapter().sha256().equals(adapterSha256)) {
        throw new BindingException(
            "%s holds the adapter '%s' already (SHA-256 %s); --again folds it in a second time"
                .formatted(model.path(), record.adapter().name(), adapterSha256));
      }
    }
  }
}

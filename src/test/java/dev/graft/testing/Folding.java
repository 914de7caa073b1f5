package dev.graft.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.adapter.PeftAdapter;
import dev.graft.error.BindingException;
import dev.graft.error.UnsupportedException;
import dev.graft.fold.FoldCheck;
import dev.graft.fold.Merge;
import dev.graft.fold.MergePlan;
import dev.graft.fold.MergeRequest;
import dev.graft.fold.Rewrite;
import dev.graft.graph.ModelGraph;
import dev.graft.inject.AdapterName;
import dev.graft.inject.Injection;
import dev.graft.io.InputFile;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.match.Binding;
import dev.graft.match.BoundTarget;
import dev.graft.match.SiteIndex;
import dev.graft.match.Ties;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.ModelValue;
import dev.graft.runtime.Session;
import dev.graft.runtime.SessionSettings;
import dev.graft.tensor.DType;
import dev.graft.tensor.FloatCodec;
import dev.graft.tensor.Shape;
import dev.graft.tensor.TensorSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A merge that has been carried out, with ONNX Runtime's answers before and after. Inputs are
 * random rows; every test graph multiplies its input {@code x} directly, so that an output moves by
 * exactly what the adapter's pair makes of {@code x}.
 */
public final class Folding {

  private static final int ROWS = 3;
  private static final double TOLERANCE = 2e-5;

  private final Adapters adapter;
  private final MergePlan plan;
  private final Path output;
  private final SequencedMap<String, HostTensor> feeds;
  private final Map<String, HostTensor> before;
  private final Map<String, HostTensor> after;

  private Folding(Adapters adapter, MergePlan plan, Path output, Map<String, HostTensor> chosen) {
    this.adapter = adapter;
    this.plan = plan;
    this.output = output;
    this.feeds = new LinkedHashMap<>();
    try (Session base = open(plan.model().path())) {
      base.inputs().forEach(i -> feeds.put(i.name(), chosen.getOrDefault(i.name(), feed(i))));
      this.before = base.run(feeds);
    }
    try (Session merged = open(output)) {
      this.after = merged.run(feeds);
    }
    if (plan.request().options().ties() == Ties.ACTIVE) {
      branchesSayTheSame();
    }
  }

  /** The branches of the same adapter beside the same weights give the same outputs. */
  private void branchesSayTheSame() {
    Path path = made(output.resolveSibling("branches")).resolve("model.onnx");
    try {
      Injection.of(
              OnnxModel.open(plan.request().model()),
              PeftAdapter.open(plan.request().adapter()),
              plan.request().options(),
              AdapterName.DEFAULT)
          .write("graft test", new Rewrite.Output(path, 1, Progress.NONE));
    } catch (UnsupportedException refused) {
      assertThat(refused).hasMessageContaining("no branch is known");
      return;
    } catch (BindingException slots) {
      assertThat(slots).hasMessageContaining("has a value 'fc.lora_A.weight' already");
      return;
    }
    double tolerance = branchTolerance();
    try (Session branches = open(path)) {
      Map<String, HostTensor> found = branches.run(feeds);
      after.forEach((name, tensor) -> {
        float[] expected = tensor.toFloats();
        float[] is = result(found, name).toFloats();
        assertThat(is).as(name + " of the branches").hasSameSizeAs(expected);
        for (int i = 0; i < is.length; i++) {
          assertThat((double) is[i])
              .as("%s[%d] of the branches", name, i)
              .isCloseTo(expected[i], within(tolerance * (1 + Math.abs(expected[i]))));
        }
      });
    }
  }

  /** A fold rounds to the stored type, a branch computes in float32. */
  private double branchTolerance() {
    boolean isHalf =
        binding().bound().stream()
            .flatMap(b -> b.place().spots().stream())
            .anyMatch(s -> s.tensor().dtype() != DType.FLOAT32);
    return isHalf ? 1e-2 : TOLERANCE;
  }

  /** Only joins the two. */
  public static Binding bind(Path folder, Graphs graphs, Adapters adapter) {
    return bind(folder, graphs, adapter, Binder.Options.DERIVED);
  }

  /** Only joins the two, with what the user fixed. */
  public static Binding bind(Path folder, Graphs graphs, Adapters adapter, Binder.Options options) {
    SiteIndex index = index(folder, graphs);
    return Binder.bind(index, PeftAdapter.open(adapter.write(folder.resolve("adapter"))), options);
  }

  /** The sites of a model. */
  public static SiteIndex index(Path folder, Graphs graphs) {
    return SiteIndex.of(ModelGraph.of(OnnxModel.open(graphs.write(folder.resolve("base")))));
  }

  /** Merges and runs. */
  public static Folding of(Path folder, Graphs graphs, Adapters adapter) {
    return of(folder, graphs, adapter, Map.of());
  }

  /** Merges and runs on some inputs that are not random. */
  public static Folding of(
      Path folder, Graphs graphs, Adapters adapter, Map<String, HostTensor> feeds) {
    return of(folder, graphs, adapter, Binder.Options.DERIVED, feeds);
  }

  /** Merges with what the user fixed, and runs. */
  public static Folding of(
      Path folder,
      Graphs graphs,
      Adapters adapter,
      Binder.Options options,
      Map<String, HostTensor> feeds) {
    Path model = graphs.write(folder.resolve("base"));
    Path output = made(folder.resolve("merged")).resolve("model.onnx");
    MergePlan plan =
        MergePlan.of(
            new MergeRequest(
                model,
                adapter.write(folder.resolve("adapter")),
                1,
                output,
                options,
                MergeRequest.Repeat.REFUSED));
    new Merge(plan, "graft test", Progress.NONE).run(1);
    return new Folding(adapter, plan, output, feeds);
  }

  /** Which target went where. */
  public Binding binding() {
    return plan.binding();
  }

  /** The place of a target. */
  public BoundTarget target(String name) {
    return binding().bound().stream()
        .filter(b -> b.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new AssertionError(name + " is not bound: " + binding().misses()));
  }

  /** Bytes that copies add. */
  public long splitBytes() {
    return plan.splitBytes();
  }

  /** What changed in the graph, as {@code kind name}. */
  public List<String> graphChanges() {
    return plan.graphChanges().stream().map(c -> c.kind() + " " + c.name()).toList();
  }

  /** The operators of the merged model, in order. */
  public List<String> operators() {
    return OnnxModel.open(output).graph().nodes().stream().map(n -> n.operator()).toList();
  }

  /** The merged model. */
  public Path output() {
    return output;
  }

  /** An output of the merged model. */
  public float[] after(String name) {
    return result(after, name).toFloats();
  }

  /** An output of the base. */
  public float[] before(String name) {
    return result(before, name).toFloats();
  }

  /** The values of a weight in the merged model. */
  public float[] stored(String name) {
    return stored(output, name);
  }

  /** The values of a weight in a model. */
  public static float[] stored(Path model, String name) {
    StoredTensor tensor =
        OnnxModel.open(model).tensors().stream()
            .filter(t -> t.label().equals(name))
            .findFirst()
            .orElseThrow(() -> new AssertionError("no weight " + name));
    TensorSource source = tensor.source().orElseThrow();
    float[] values = new float[Math.toIntExact(tensor.shape().elements())];
    MemorySegment bytes = MemorySegment.ofArray(new byte[Math.toIntExact(source.length())]);
    try (InputFile file = InputFile.open(source.file())) {
      file.readFully(bytes, source.offset());
    }
    new FloatCodec(tensor.dtype(), values.length).decode(bytes, 0, values, values.length);
    return values;
  }

  /** Bytes of the tensors that changed. */
  public long touchedBytes() {
    return plan.touchedBytes();
  }

  /** What was fed. */
  public float[] fed(String name) {
    return result(feeds, name).toFloats();
  }

  /** Sees that an output is bit for bit the base's. */
  public Folding keeps(String... names) {
    for (String name : names) {
      assertThat(after(name)).as(name).containsExactly(before(name));
    }
    return this;
  }

  /** Sees that an output moved by what a module's pair makes of {@code x}. */
  public Folding moves(String name, String module) {
    return moves(name, module, "x");
  }

  /** Sees that an output moved by what a module's pair makes of an input. */
  public Folding moves(String name, String module, String input) {
    Adapters.Pair pair = adapter.pair(module);
    float[] x = fed(input);
    int in = pair.a().columns();
    int out = pair.b().rows();
    float[] was = before(name);
    float[] is = after(name);
    double largest = 0;
    for (int row = 0; row < x.length / in; row++) {
      double[] one = new double[in];
      for (int i = 0; i < in; i++) {
        one[i] = x[row * in + i];
      }
      double[] delta = pair.delta(one);
      for (int o = 0; o < out; o++) {
        largest = Math.max(largest, Math.abs(delta[o]));
        assertThat((double) is[row * out + o])
            .as("%s[%d, %d]", name, row, o)
            .isCloseTo(was[row * out + o] + delta[o], within(TOLERANCE));
      }
    }
    assertThat(largest).as("the adapter must do something").isGreaterThan(0.01);
    return this;
  }

  /** Sees that the file is what the merge should make, without a runtime. */
  public Folding checks() {
    assertThat(new FoldCheck(plan, output, Progress.NONE).run().differences()).isEmpty();
    return this;
  }

  private static HostTensor result(Map<String, HostTensor> tensors, String name) {
    HostTensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new AssertionError(name + " is not among " + tensors.keySet());
    }
    return tensor;
  }

  private static Path made(Path folder) {
    try {
      return Files.createDirectories(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Session open(Path model) {
    return Session.open(
        model,
        SessionSettings.defaults()
            .withIntraOpThreads(1)
            .withOptimisation(SessionSettings.Optimisation.NONE));
  }

  private static HostTensor feed(ModelValue input) {
    long[] shape = input.dims().stream().mapToLong(d -> d.isFree() ? ROWS : d.size()).toArray();
    int count = Math.toIntExact(Shape.of(shape).elements());
    if (input.dtype() == DType.FLOAT32) {
      return HostTensor.ofFloats(
          Shape.of(shape), Values.random(input.name().hashCode(), shape).floats());
    }
    long[] counted = new long[count];
    for (int i = 0; i < count; i++) {
      counted[i] = i % 2;
    }
    return HostTensor.ofIntegers(input.dtype(), Shape.of(shape), counted);
  }
}

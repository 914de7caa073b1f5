package dev.graft.inject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.graft.adapter.PeftAdapter;
import dev.graft.error.FormatException;
import dev.graft.error.GraftException;
import dev.graft.error.UnsupportedException;
import dev.graft.fold.Merge;
import dev.graft.fold.MergePlan;
import dev.graft.fold.MergeRequest;
import dev.graft.fold.RestoredBase;
import dev.graft.fold.Rewrite;
import dev.graft.fold.UndoPolicy;
import dev.graft.fold.Unmerge;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.Session;
import dev.graft.runtime.SessionSettings;
import dev.graft.testing.GoldenCase;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Folds what was inserted, and holds it against a merge of the same adapter. */
class HeldAdapterTest {

  @TempDir Path folder;

  static List<GoldenCase> cases() {
    return GoldenInsertTest.cases();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void foldOfWhatWasInsertedIsTheMergeOfTheAdapter(GoldenCase golden) throws IOException {
    for (String adapter : golden.adapters().keySet()) {
      Path place = folder.resolve(adapter.replace('/', '-'));
      Path branches = place.resolve("branches.onnx");
      if (insert(golden, adapter, branches) && holdsBranches(branches)) {
        foldAndCompare(golden, adapter, branches);
      }
    }
  }

  private static final int IN = 6;
  private static final int OUT = 5;
  private static final Values X = Values.random(9, 3, IN);

  private static Graphs bottleneck(String rank, String... between) {
    int r = Integer.parseInt(rank);
    Graphs graphs =
        Graphs.create()
            .input("x", -1, IN)
            .output("y", -1, OUT)
            .weight("fc.weight", Values.random(1, IN, OUT))
            .weight("down", Values.random(2, IN, r))
            .weight("up", Values.random(3, r, OUT))
            .node(Node.of("MatMul", "x", "fc.weight").to("p").named("/fc/MatMul"))
            .node(Node.of("MatMul", "x", "down").to("h0").named("/fc/a/MatMul"));
    String h = "h0";
    for (String operator : between) {
      graphs = graphs.node(Node.of(operator, h).to(h + "x").named("/fc/" + operator));
      h += "x";
    }
    return graphs
        .node(Node.of("MatMul", h, "up").to("d").named("/fc/b/MatMul"))
        .node(Node.of("Add", "p", "d").to("y").named("/fc/Add"));
  }

  private static float[] run(Path model) {
    try (Session session = Session.open(model, SessionSettings.defaults())) {
      Map<String, HostTensor> feeds = Map.of("x", HostTensor.ofFloats(X.shape(), X.floats()));
      return session.run(feeds).values().iterator().next().toFloats();
    }
  }

  @Test
  void anActivationBetweenTheFactorsMakesItNoBranch() {
    Path model = bottleneck("2", "Relu").write(folder);
    assertThatThrownBy(() -> HeldAdapter.of(OnnxModel.open(model)))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("holds no LoRA branches, so there is nothing to fold");
  }

  @Test
  void aWidthThatIsNoBottleneckMakesItNoBranch() {
    Path model = bottleneck("5").write(folder);
    assertThatThrownBy(() -> HeldAdapter.of(OnnxModel.open(model)))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("nothing to fold");
  }

  @Test
  void factorsInAnUnknownFormAreRefused() {
    Path model =
        Graphs.create()
            .input("x", -1, IN)
            .output("y", -1, OUT)
            .weight("fc.weight", Values.random(1, IN, OUT))
            .weight("fc.lora_A.weight", Values.random(2, IN, 2))
            .weight("fc.lora_B.weight", Values.random(3, 2, OUT))
            .node(Node.of("MatMul", "x", "fc.weight").to("p").named("/fc/MatMul"))
            .node(Node.of("MatMul", "x", "fc.lora_A.weight").to("h").named("/fc/lora_A/MatMul"))
            .node(Node.of("Relu", "h").to("r").named("/fc/Relu"))
            .node(Node.of("MatMul", "r", "fc.lora_B.weight").to("d").named("/fc/lora_B/MatMul"))
            .node(Node.of("Add", "p", "d").to("y").named("/fc/Add"))
            .write(folder);
    assertThatThrownBy(() -> HeldAdapter.of(OnnxModel.open(model)))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("2 tensors are called like factors")
        .hasMessageContaining("fc.lora_A.weight");
  }

  @Test
  void anotherToolsBranchIsFoldedByItsStructure() throws IOException {
    Path model = bottleneck("2").write(folder);
    Path output = folder.resolve("out").resolve("folded.onnx");
    fold(model, output);
    assertThat(nodes(OnnxModel.open(output)))
        .extracting(NodeProto::getName)
        .containsExactly("/fc/MatMul");
    float[] expected = run(model);
    float[] found = run(output);
    for (int i = 0; i < expected.length; i++) {
      assertThat(found[i]).isCloseTo(expected[i], within(1e-5f));
    }
    requireUndone(model, output);
  }

  private void foldAndCompare(GoldenCase golden, String adapter, Path branches) throws IOException {
    Path folded = branches.resolveSibling("folded").resolve("model.onnx");
    Path merged = branches.resolveSibling("merged").resolve("model.onnx");
    new Merge(
            MergePlan.of(MergeRequest.of(golden.file("base.onnx"), golden.file(adapter), merged)),
            "test",
            Progress.NONE)
        .run(2);
    fold(branches, folded);
    OnnxModel expected = OnnxModel.open(merged);
    OnnxModel found = OnnxModel.open(folded);
    assertThat(nodes(found)).isEqualTo(nodes(expected));
    assertThat(tensors(found)).isEqualTo(tensors(expected));
    requireUndone(branches, folded);
  }

  private static void requireUndone(Path branches, Path folded) throws IOException {
    Path back = folded.resolveSibling("back").resolve("branches.onnx");
    try (RestoredBase base = RestoredBase.open(folded, Optional.empty())) {
      new Unmerge(base, back, Unmerge.Existing.REFUSED, Progress.NONE).run(2);
    }
    assertThat(Files.mismatch(back, branches)).isEqualTo(-1);
    for (Map.Entry<String, Path> file : OnnxModel.open(branches).dataFiles().entrySet()) {
      assertThat(Files.mismatch(back.resolveSibling(file.getKey()), file.getValue())).isEqualTo(-1);
    }
  }

  private void fold(Path branches, Path output) throws IOException {
    Files.createDirectories(output.resolveSibling(""));
    HeldAdapter held = HeldAdapter.of(OnnxModel.open(branches));
    MergePlan plan = held.plan(MergeRequest.of(branches, held.folder(folder), output));
    new Merge(plan, "test", Progress.NONE, UndoPolicy.KEPT).run(2);
  }

  private static boolean holdsBranches(Path model) {
    return OnnxModel.open(model).graph().initializers().stream()
        .anyMatch(t -> t.name().contains("lora_"));
  }

  private static boolean insert(GoldenCase golden, String adapter, Path output) throws IOException {
    Files.createDirectories(output.resolveSibling("merged"));
    try {
      Injection.of(
              OnnxModel.open(golden.file("base.onnx")),
              PeftAdapter.open(golden.file(adapter)),
              Binder.Options.DERIVED,
              AdapterName.DEFAULT)
          .write("graft test", new Rewrite.Output(output, 2, Progress.NONE));
      return true;
    } catch (UnsupportedException refused) {
      assertThat(refused).hasMessageContaining("no branch is known");
      return false;
    } catch (GraftException e) {
      throw new AssertionError(golden + ": " + e.getMessage(), e);
    }
  }

  private static List<NodeProto> nodes(OnnxModel model) {
    return model.proto().getGraph().getNodeList();
  }

  /** The values of every tensor by name. */
  private static Map<String, List<Object>> tensors(OnnxModel model) {
    Map<String, List<Object>> tensors = new TreeMap<>();
    BaseValues values = new BaseValues(model);
    for (StoredTensor tensor : model.tensors()) {
      boolean isText = tensor.source().isEmpty() && !tensor.dtype().isFoldable();
      Object value =
          isText
              ? tensor.proto()
              : Arrays.hashCode(values.bytes(tensor).toArray(ValueLayout.JAVA_BYTE));
      tensors.put(tensor.label(), List.of(tensor.shape(), tensor.dtype(), value));
    }
    return tensors;
  }
}

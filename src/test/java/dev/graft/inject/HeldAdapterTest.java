package dev.graft.inject;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.adapter.PeftAdapter;
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
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.testing.GoldenCase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
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
    List<NodeProto> nodes = new ArrayList<>();
    collect(model.proto().getGraph(), nodes);
    model.proto().getFunctionsList().forEach(f -> nodes.addAll(f.getNodeList()));
    return nodes;
  }

  private static void collect(GraphProto graph, List<NodeProto> nodes) {
    nodes.addAll(graph.getNodeList());
  }

  /** The values of every initializer by name. */
  private static Map<String, List<Object>> tensors(OnnxModel model) throws IOException {
    Map<String, List<Object>> tensors = new TreeMap<>();
    BaseValues values = new BaseValues(model);
    for (StoredTensor tensor : model.tensors()) {
      tensors.put(
          tensor.label(),
          List.of(
              tensor.shape(),
              tensor.dtype(),
              java.util.Arrays.hashCode(
                  values.bytes(tensor).toArray(java.lang.foreign.ValueLayout.JAVA_BYTE))));
    }
    return tensors;
  }
}

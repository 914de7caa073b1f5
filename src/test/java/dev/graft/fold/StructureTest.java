package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.graft.io.Progress;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.testing.Adapters;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A merged file that is not what the merge's edits make of the base. */
class StructureTest {

  @TempDir Path folder;

  /** A head that grows and a layer that gets the bias it lacks. */
  private MergePlan plan() {
    Graphs graphs =
        Graphs.create()
            .input("x", 3, 4)
            .output("y", 3, 2)
            .weight("w", Values.random(1, 4, 4))
            .weight("head.weight", Values.random(2, 2, 4))
            .declared("p", 3, 4)
            .node(Node.of("MatMul", "x", "w").to("p").named("/fc/MatMul"))
            .node(Node.of("Relu", "p").to("q").named("/act/Relu"))
            .node(
                Node.of("Gemm", "q", "head.weight").to("y").named("/head/Gemm").with("transB", 1));
    Adapters adapter =
        Adapters.create()
            .bias("fc.bias", Values.random(3, 4))
            .saved("head.weight", Values.random(4, 5, 4))
            .saved("head.bias", Values.random(5, 5));
    return MergePlan.of(
        MergeRequest.of(
            graphs.write(folder.resolve("base")),
            adapter.write(folder.resolve("adapter")),
            folder.resolve("merged.onnx")));
  }

  private static FoldCheck.Report check(MergePlan plan) {
    return new FoldCheck(plan, plan.request().output(), Progress.NONE).run();
  }

  private static Arguments change(String found, Consumer<ModelProto.Builder> change) {
    return Arguments.of(found, change);
  }

  private static Arguments inGraph(String found, Consumer<GraphProto.Builder> change) {
    return change(found, model -> change.accept(model.getGraphBuilder()));
  }

  static Stream<Arguments> changes() {
    return Stream.of(
        inGraph("3 nodes instead of 4", g -> g.removeNode(1)),
        inGraph("another node", g -> g.getNodeBuilder(1).setInput(0, "x")),
        inGraph("another node", g -> g.getNodeBuilder(0).setOutput(0, "p")),
        inGraph("another node", g -> g.getNodeBuilder(3).setInput(2, "")),
        inGraph("another node", g -> g.getNodeBuilder(3).getAttributeBuilder(0).setI(0)),
        inGraph(
            "another declaration",
            g ->
                g.getOutputBuilder(0)
                    .getTypeBuilder()
                    .getTensorTypeBuilder()
                    .getShapeBuilder()
                    .getDimBuilder(1)
                    .setDimValue(2)),
        inGraph("another declaration", g -> g.getValueInfoBuilder(0).setName("other")),
        inGraph("0 entries instead of 1", g -> g.clearValueInfo()),
        inGraph("2 entries instead of 1", g -> g.addInput(g.getInput(0))),
        inGraph("another order", g -> g.addInitializer(0, g.getInitializer(2))),
        inGraph("another header", g -> g.setName("other")),
        change("another header", m -> m.setIrVersion(7)),
        change("another header", m -> m.getOpsetImportBuilder(0).setVersion(16)),
        change("another header", m -> m.addTrainingInfoBuilder()),
        change("1 functions", m -> m.addFunctionsBuilder().setName("f")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("changes")
  void findsAChangeToTheGraph(String found, Consumer<ModelProto.Builder> change)
      throws IOException {
    MergePlan plan = plan();
    Path merged = plan.request().output();
    new Merge(plan, "graft test", Progress.NONE).run(1);
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(merged)).toBuilder();
    change.accept(model);
    Files.write(merged, model.build().toByteArray());

    assertThat(check(plan).differences())
        .isNotEmpty()
        .anySatisfy(d -> assertThat(d.found()).contains(found));
  }

  @Test
  void findsABiasThatIsNotTheAdapters() throws IOException {
    MergePlan plan = plan();
    Path merged = plan.request().output();
    new Merge(plan, "graft test", Progress.NONE).run(1);
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(merged)).toBuilder();
    model
        .getGraphBuilder()
        .getInitializerBuilderList()
        .forEach(t -> {
          if (t.getName().equals("fc.bias")) {
            t.setRawData(ByteString.copyFrom(new byte[16]));
          }
        });
    Files.write(merged, model.build().toByteArray());

    assertThat(check(plan).differences())
        .singleElement()
        .satisfies(d -> assertThat(d.name()).isEqualTo("fc.bias"))
        .satisfies(d -> assertThat(d.found()).contains("4 elements differ"));
  }

  @Test
  void acceptsWhatTheMergeMakes() {
    MergePlan plan = plan();
    Merge.Result result = new Merge(plan, "graft test", Progress.NONE).run(1);

    FoldCheck.Report report = check(plan);
    assertThat(report.differences()).isEmpty();
    assertThat(report.nodes()).isEqualTo(4);
    assertThat(report.folded()).isEqualTo(3);
    assertThat(result.provenance().graph()).isEqualTo(plan.graphChanges());
    assertThat(result.provenance().tensors())
        .filteredOn(t -> t.before().isEmpty())
        .extracting(Provenance.TensorRecord::name)
        .containsExactlyInAnyOrder("fc.bias", "head.bias");
    assertThat(Provenance.of(OnnxModel.open(plan.request().output())))
        .containsExactly(result.provenance());
  }
}

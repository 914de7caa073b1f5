package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.onnx.GraphEdit.AddFunctionInput;
import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.GraphEdit.AddValue;
import dev.graft.onnx.GraphEdit.Declaration;
import dev.graft.onnx.GraphEdit.ImportOperators;
import dev.graft.onnx.GraphEdit.InsertNodes;
import dev.graft.onnx.GraphEdit.Keeping;
import dev.graft.onnx.GraphEdit.RemoveInitializer;
import dev.graft.onnx.GraphEdit.RemoveNode;
import dev.graft.onnx.GraphEdit.RemoveValue;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.ReplaceTensor;
import dev.graft.onnx.GraphEdit.SetAttribute;
import dev.graft.onnx.GraphEdit.SetDimension;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.Session;
import dev.graft.runtime.SessionSettings;
import dev.graft.runtime.TinyModels;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ONNX Runtime takes what the edits make, and computes what they mean. */
class EditedGraphsRunTest {

  private static final HostTensor X = floats(Shape.of(2, 3), 1, 2, 3, 4, 5, 6);
  private static final Values EYE =
      new Values(DType.FLOAT32, Shape.of(3, 3), new float[] {1, 0, 0, 0, 1, 0, 0, 0, 1});
  private static final NewTensor BIAS = tensor("bias", Shape.of(3), 10, 20, 30);
  private static final float[] X_AND_BIAS = {11, 22, 33, 14, 25, 36};

  @TempDir Path folder;
  @TempDir Path outFolder;

  @Test
  void givesAGemmItsBias() throws IOException {
    Edited base = base(oneNode(Node.of("Gemm", "x", "w").to("y").named("gemm")).weight("w", EYE));
    Path out =
        base.write(
            outFolder,
            new AddInitializer(BIAS, Keeping.LIKE_BASE),
            new SetInput(base.node(0), 2, "bias"));
    assertThat(run(out, "y")).isEqualTo(X_AND_BIAS);
  }

  @Test
  void givesAConvItsBiasAndAnotherKernel() throws IOException {
    Edited base =
        base(
            Graphs.create()
                .input("x", 1, 2, 3)
                .output("y", 1, 1, 3)
                .weight("w", Values.filled(1, 1, 2, 1))
                .node(Node.of("Conv", "x", "w").to("y")));
    Path out =
        base.write(
            outFolder,
            new AddInitializer(tensor("b", Shape.of(1), 100), Keeping.EMBEDDED),
            new SetInput(base.node(0), 2, "b"),
            new SetAttribute(base.node(0), Attributes.ofInts("pads", List.of(1L, 0L))),
            new ReplaceTensor(base.tensor("w"), tensor("w", Shape.of(1, 2, 2), 1, 1, 1, 1)));
    HostTensor x = floats(Shape.of(1, 2, 3), 1, 2, 3, 4, 5, 6);
    assertThat(run(out, "y", Map.of("x", x))).containsExactly(105, 112, 116);
  }

  @Test
  void addsABiasBehindAMatMulOfExternalWeights() throws IOException {
    Edited base =
        base(
            oneNode(Node.of("MatMul", "x", "w").to("y").named("matmul"))
                .external("w", EYE, "w.data"));
    Path out =
        base.write(
            outFolder,
            new AddInitializer(BIAS, Keeping.LIKE_BASE),
            new RenameOutput(base.node(0), 0, "y_without_bias"),
            InsertNodes.after(
                base.node(0), List.of(Protos.node("Add", "y", "y_without_bias", "bias"))));
    assertThat(run(out, "y")).isEqualTo(X_AND_BIAS);
  }

  @Test
  void givesAClassifierOtherLabels() throws IOException {
    for (String data : new String[] {"", "w.data"}) {
      Graphs graphs =
          Graphs.create()
              .input("x", -1, 3)
              .output("logits", -1, 2)
              .node(Node.of("MatMul", "x", "w").to("h"))
              .node(Node.of("Add", "h", "b").to("logits"))
              .weight("b", Values.filled(0, 2))
              .foldedFrom("h", "");
      Values weight = Values.filled(1, 3, 2);
      Edited base =
          base(data.isEmpty() ? graphs.weight("w", weight) : graphs.external("w", weight, data));
      Path out =
          base.write(
              outFolder,
              new ReplaceTensor(
                  base.tensor("w"), tensor("w", Shape.of(3, 3), 1, 0, 0, 0, 1, 0, 0, 0, 1)),
              new ReplaceTensor(base.tensor("b"), tensor("b", Shape.of(3), 10, 20, 30)),
              new RemoveValue(Declaration.VALUE_INFO, "h"),
              new SetDimension(Declaration.OUTPUT, "logits", -1, 3));
      assertThat(run(out, "logits")).isEqualTo(X_AND_BIAS);
      try (Session session = Session.open(out, SessionSettings.defaults())) {
        assertThat(session.outputs().getFirst().dims().getLast().size()).isEqualTo(3);
      }
    }
  }

  @Test
  void growsATableInAConstant() throws IOException {
    Edited base =
        base(
            Graphs.create()
                .input(DType.INT64, "ids", 2)
                .output("y", 2, 2)
                .node(Node.constant(Values.filled(1, 2, 2)).to("table"))
                .node(Node.of("Gather", "table", "ids").to("y")));
    NewTensor table = tensor("", Shape.of(3, 2), 1, 2, 3, 4, 5, 6);
    Path out = base.write(outFolder, new ReplaceTensor(base.tensor("table"), table));
    HostTensor ids = HostTensor.ofIntegers(DType.INT64, Shape.of(2), new long[] {2, 0});
    assertThat(run(out, "y", Map.of("ids", ids))).containsExactly(5, 6, 1, 2);
  }

  @Test
  void insertsIntoABranchThatReadsTheGraphAroundIt() throws IOException {
    Graphs then =
        Graphs.create().output("t", 2, 3).node(Node.of("Identity", "x").to("t").named("inside"));
    Graphs otherwise = Graphs.create().output("e", 2, 3).node(Node.of("Neg", "x").to("e"));
    Values yes = new Values(DType.BOOL, Shape.of(), new float[] {1});
    Edited base =
        base(
            oneNode(
                    Node.of("If", "yes")
                        .to("y")
                        .with("then_branch", then)
                        .with("else_branch", otherwise))
                .weight("yes", yes));
    NodePart inside = base.node(0).subgraphs().getFirst().nodes().getFirst();
    Path out =
        base.write(
            outFolder,
            new AddInitializer(BIAS, Keeping.LIKE_BASE),
            new SetInput(inside, 0, "moved"),
            InsertNodes.before(inside, List.of(Protos.node("Add", "moved", "x", "bias"))));
    assertThat(run(out, "y")).isEqualTo(X_AND_BIAS);
  }

  @Test
  void givesAFunctionAnInputAndAPlaceToUseIt() throws IOException {
    Edited base =
        base(
            oneNode(Node.of(Graphs.LOCAL + ".f", "x", "w").to("y"))
                .weight("w", EYE)
                .function("f", List.of("a", "b"), "c", Node.of("MatMul", "a", "b").to("c")));
    FunctionPart function = base.model().functions().getFirst();
    NodePart matMul = function.nodes().getFirst();
    Path out =
        base.write(
            outFolder,
            new AddInitializer(BIAS, Keeping.LIKE_BASE),
            new AddFunctionInput(function, "bias"),
            new RenameOutput(matMul, 0, "product"),
            InsertNodes.after(matMul, List.of(Protos.node("Add", "c", "product", "bias"))),
            new SetInput(base.node(0), 2, "bias"));
    assertThat(run(out, "y")).isEqualTo(X_AND_BIAS);
  }

  @Test
  void addsInputsOutputsAndOperatorsOfAnotherDomain() throws IOException {
    Path bare =
        TinyModels.write(
            folder.resolve("bare.onnx"), TinyModels.Wire.of("Identity", "x", "y", "2", "3"));
    OnnxModel model = OnnxModel.open(bare);
    ValueInfoProto.Builder scaled = ValueInfoProto.newBuilder().setName("scaled");
    scaled.getTypeBuilder().getTensorTypeBuilder().setElemType(1);
    NodeProto node =
        Protos.node("FusedMatMul", "scaled", "x", "x2").toBuilder()
            .setDomain("com.microsoft")
            .addAttribute(Attributes.of("alpha", 0.5f))
            .addAttribute(Attributes.of("transB", 1))
            .build();
    Edited base = Edited.of(model);
    ValueInfoProto second = model.proto().getGraph().getInput(0).toBuilder().setName("x2").build();
    Path out =
        base.write(
            outFolder,
            new ImportOperators("com.microsoft", 1),
            new AddValue(Declaration.INPUT, second),
            new AddValue(Declaration.OUTPUT, scaled.build()),
            InsertNodes.after(base.node(0), List.of(node)));
    assertThat(run(out, "scaled", Map.of("x", X, "x2", X))).containsExactly(7, 16, 16, 38.5f);
  }

  @Test
  void takesOutABranchWithItsWeight() throws IOException {
    Edited base =
        base(
            oneNode(Node.of("MatMul", "x", "w").to("h"))
                .node(Node.of("MatMul", "x", "extra").to("branch"))
                .node(Node.of("Add", "h", "branch").to("y"))
                .weight("w", EYE)
                .weight("extra", EYE));
    Path out =
        base.write(
            outFolder,
            new RenameOutput(base.node(0), 0, "y"),
            new RemoveNode(base.node(1)),
            new RemoveNode(base.node(2)),
            new RemoveInitializer(base.tensor("extra")));
    assertThat(OnnxModel.open(out).graph().nodes()).hasSize(1);
    assertThat(run(out, "y")).containsExactly(1, 2, 3, 4, 5, 6);
  }

  private Edited base(Graphs graphs) {
    return Edited.of(OnnxModel.open(graphs.write(folder)));
  }

  private static Graphs oneNode(Node node) {
    return Graphs.create().input("x", -1, 3).output("y", -1, 3).node(node);
  }

  private static float[] run(Path model, String output) {
    return run(model, output, Map.of("x", X));
  }

  private static float[] run(Path model, String output, Map<String, HostTensor> feeds) {
    try (Session session = Session.open(model, SessionSettings.defaults())) {
      HostTensor found = session.run(feeds).get(output);
      if (found == null) {
        throw new AssertionError("no output " + output);
      }
      return found.toFloats();
    }
  }

  private static HostTensor floats(Shape shape, float... values) {
    return HostTensor.ofFloats(shape, values);
  }

  private static NewTensor tensor(String name, Shape shape, float... values) {
    Values whole = new Values(DType.FLOAT32, shape, values);
    return new NewTensor(name, DType.FLOAT32, shape, new Outputs.Values(whole.bytes()));
  }
}

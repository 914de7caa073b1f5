package dev.graft.inject;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import dev.graft.adapter.PeftAdapter;
import dev.graft.error.BindingException;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import dev.graft.fold.Rewrite;
import dev.graft.graph.StopGradient;
import dev.graft.io.Progress;
import dev.graft.match.Binder;
import dev.graft.match.Turn;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.Session;
import dev.graft.runtime.SessionSettings;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.testing.Adapters;
import dev.graft.testing.Folding;
import dev.graft.testing.Graphs;
import dev.graft.testing.Node;
import dev.graft.testing.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InjectionTest {

  private static final int IN = 4;
  private static final int OUT = 3;
  private static final Values W = Values.random(1, IN, OUT);
  private static final Values X = Values.random(2, 5, IN);

  @TempDir Path folder;

  private static Graphs graphs() {
    return Graphs.create()
        .input("x", -1, IN)
        .output("y", -1, OUT)
        .weight("m.0.fc.weight", W)
        .node(Node.of("MatMul", "x", "m.0.fc.weight").to("y").named("/m.0/fc/MatMul"));
  }

  private static Adapters adapters() {
    return Adapters.create().lora("m.0.fc", IN, OUT);
  }

  private Injection plan(Path model, AdapterName name) {
    Path adapter = adapters().write(folder.resolve("adapter"));
    return Injection.of(
        OnnxModel.open(model), PeftAdapter.open(adapter), Binder.Options.DERIVED, name);
  }

  private Path insert(Path model, String output, AdapterName name) {
    Path path = folder.resolve(output);
    plan(model, name).write("test", new Rewrite.Output(path, 1, Progress.NONE));
    return path;
  }

  private static float[] run(Path model) {
    SessionSettings plain =
        SessionSettings.defaults().withOptimisation(SessionSettings.Optimisation.NONE);
    try (Session session = Session.open(model, plain)) {
      Map<String, HostTensor> feeds = Map.of("x", HostTensor.ofFloats(X.shape(), X.floats()));
      return session.run(feeds).values().iterator().next().toFloats();
    }
  }

  private static List<String> nodes(Path model) {
    return OnnxModel.open(model).graph().nodes().stream()
        .map(n -> n.operator() + " " + n.label())
        .toList();
  }

  @Test
  void refusesTheSameAdapterNameTwice() {
    Path once = insert(graphs().write(folder.resolve("base")), "1.onnx", AdapterName.DEFAULT);
    assertThatThrownBy(() -> insert(once, "2.onnx", AdapterName.DEFAULT))
        .isInstanceOf(BindingException.class)
        .hasMessageContaining("has a value 'm.0.fc.lora_A.weight' already")
        .hasMessageContaining("--adapter-name");
    assertThat(folder.resolve("2.onnx")).doesNotExist();
  }

  @Test
  void refusesNamesThatCollideWithTheModels() {
    Path model = graphs().weight("m.0.fc.lora_scaling", W).write(folder.resolve("base"));
    assertThatThrownBy(() -> plan(model, AdapterName.DEFAULT))
        .isInstanceOf(BindingException.class)
        .hasMessageContaining("m.0.fc.lora_scaling");
  }

  @Test
  void refusesAnAdapterNameThatIsNone() {
    for (String name : List.of("", "a.b", "a b", "-a", "a/b")) {
      assertThatThrownBy(() -> new AdapterName(name)).isInstanceOf(UsageException.class);
    }
  }

  @Test
  void refusesAWeightInAFunctionWithAWayOut() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, IN)
            .output("y", -1, OUT)
            .weight("m.0.fc.weight", W)
            .function("Linear", List.of("a", "w"), "b", Node.of("MatMul", "a", "w").to("b"))
            .node(Node.of("local.Linear", "x", "m.0.fc.weight").to("y"));
    Path model = graphs.write(folder.resolve("base"));
    assertThatThrownBy(() -> plan(model, AdapterName.DEFAULT))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("model-local function")
        .hasMessageContaining("inline_local_functions");
  }

  @Test
  void refusesAFloatHeadInAFunctionWithAWayOut() {
    Graphs graphs =
        Graphs.create()
            .input("x", -1, IN)
            .output("y", -1, OUT)
            .weight(
                "classifier.weight_quantized",
                new Values(DType.INT8, Shape.of(IN, OUT), new float[IN * OUT]))
            .weight("s", Values.filled(1))
            .node(Node.of("DequantizeLinear", "classifier.weight_quantized", "s").to("d"))
            .function("Linear", List.of("a", "w"), "b", Node.of("MatMul", "a", "w").to("b"))
            .node(Node.of("local.Linear", "x", "d").to("y").named("/classifier/MatMul"));
    Path adapter =
        Adapters.create()
            .saved("classifier.weight", Values.random(3, OUT, IN))
            .write(folder.resolve("a"));
    OnnxModel model = OnnxModel.open(graphs.write(folder.resolve("base")));
    assertThatThrownBy(() ->
            Injection.of(
                model, PeftAdapter.open(adapter), Binder.Options.DERIVED, AdapterName.DEFAULT))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("model-local function");
  }

  @Test
  void refusesOperatorsThatAreTooOld() throws IOException {
    Path model = graphs().write(folder.resolve("base"));
    ModelProto.Builder old = ModelProto.parseFrom(Files.readAllBytes(model)).toBuilder();
    old.getOpsetImportBuilder(0).setVersion(6);
    Files.write(model, old.build().toByteArray());
    assertThatThrownBy(() -> plan(model, AdapterName.DEFAULT))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("as of opset 7")
        .hasMessageContaining("uses opset 6");
  }

  @Test
  void addsSeveralAdaptersUp() {
    Path base = graphs().write(folder.resolve("base"));
    Path once = insert(base, "1.onnx", AdapterName.DEFAULT);
    Path twice = insert(once, "2.onnx", new AdapterName("other"));
    float[] zero = run(base);
    float[] one = run(once);
    float[] two = run(twice);
    for (int i = 0; i < zero.length; i++) {
      assertThat(two[i] - zero[i]).isCloseTo(2 * (one[i] - zero[i]), within(1e-5f));
    }
    assertThat(nodes(twice))
        .contains("MatMul /m.0/fc/lora_A/MatMul", "MatMul /m.0/fc/lora_A/other/MatMul");
  }

  @Test
  void keepsTheAdaptersBitsAndTheScaleApart() {
    Path model = insert(graphs().write(folder.resolve("base")), "b.onnx", AdapterName.DEFAULT);
    Adapters.Pair pair = adapters().pair("m.0.fc");
    float[] a = Folding.stored(model, "m.0.fc.lora_A.weight");
    float[] b = Folding.stored(model, "m.0.fc.lora_B.weight");
    for (int r = 0; r < Adapters.RANK; r++) {
      for (int i = 0; i < IN; i++) {
        assertThat(a[i * Adapters.RANK + r]).isEqualTo(pair.a().at(r, i));
      }
      for (int o = 0; o < OUT; o++) {
        assertThat(b[r * OUT + o]).isEqualTo(pair.b().at(o, r));
      }
    }
    assertThat(Folding.stored(model, "m.0.fc.lora_scaling")).containsExactly(Adapters.SCALE);
    assertThat(Folding.stored(model, "m.0.fc.weight")).containsExactly(W.floats());
  }

  @Test
  void namesEveryNodeAfterItsModule() {
    Path model = insert(graphs().write(folder.resolve("base")), "b.onnx", AdapterName.DEFAULT);
    assertThat(nodes(model))
        .containsExactly(
            "MatMul /m.0/fc/MatMul",
            "MatMul /m.0/fc/lora_A/MatMul",
            "MatMul /m.0/fc/lora_B/MatMul",
            "Mul /m.0/fc/lora/Mul",
            "Add /m.0/fc/lora/Add");
  }

  @Test
  void listsWhatIsTrainedWithPeftsKeys() {
    Injection plan = plan(graphs().write(folder.resolve("base")), AdapterName.DEFAULT);
    assertThat(plan.trainables())
        .extracting(Trainable::name, Trainable::key, Trainable::shape, Trainable::turn)
        .containsExactly(
            tuple(
                "m.0.fc.lora_A.weight",
                "base_model.model.m.0.fc.lora_A.weight",
                Shape.of(IN, Adapters.RANK),
                Turn.TRANSPOSED),
            tuple(
                "m.0.fc.lora_B.weight",
                "base_model.model.m.0.fc.lora_B.weight",
                Shape.of(Adapters.RANK, OUT),
                Turn.TRANSPOSED));
    assertThat(plan.skeleton().getGraph().getNodeList())
        .extracting(NodeProto::getOpType)
        .containsExactly("MatMul", "MatMul", "MatMul", "Mul", "Add");
  }

  @Test
  void saysInTheModelWhereItsBranchesAreFrom() {
    Path model = insert(graphs().write(folder.resolve("base")), "b.onnx", AdapterName.DEFAULT);
    assertThat(OnnxModel.open(model).metadata().get("graft.insert.1"))
        .contains("\"name\":\"adapter\"", "\"key\":\"base_model.model.m.0.fc.lora_A.weight\"")
        .doesNotContain(folder.toString());
  }

  @Test
  void addsInFloat32BesideAnOperatorOfHalfPrecision() {
    Values half = new Values(DType.FLOAT16, W.shape(), halves(W.floats()));
    Graphs graphs =
        Graphs.create()
            .input(DType.FLOAT16, "x", -1, IN)
            .output(DType.FLOAT16, "y", -1, OUT)
            .weight("m.0.fc.weight", half)
            .node(Node.of("MatMul", "x", "m.0.fc.weight").to("y").named("/m.0/fc/MatMul"));
    Path model = insert(graphs.write(folder.resolve("base")), "b.onnx", AdapterName.DEFAULT);
    assertThat(OnnxModel.open(model).graph().nodes())
        .extracting(n -> n.operator())
        .containsExactly("MatMul", "Cast", "Cast", "MatMul", "MatMul", "Mul", "Add", "Cast");
    OnnxModel.open(model).tensors().stream()
        .filter(t -> t.label().contains("lora_"))
        .forEach(t -> assertThat(t.dtype()).isEqualTo(DType.FLOAT32));
  }

  @Test
  void makesTheNormOfDoraAConstantToAGradient() {
    Adapters dora =
        adapters()
            .config("use_dora", "true")
            .tensor("m.0.fc.lora_magnitude_vector", Values.filled(2f, OUT));
    Path model = graphs().write(folder.resolve("base"));
    Injection plan =
        Injection.of(
            OnnxModel.open(model),
            PeftAdapter.open(dora.write(folder.resolve("dora"))),
            Binder.Options.DERIVED,
            AdapterName.DEFAULT);
    assertThat(plan.skeleton().getGraph().getNodeList())
        .filteredOn(StopGradient::isOn)
        .extracting(NodeProto::getOpType)
        .containsExactly("ReduceL2");
    assertThat(plan.trainables())
        .extracting(Trainable::name)
        .contains("m.0.fc.lora_magnitude_vector");
  }

  /** Values that float16 can hold. */
  private static float[] halves(float[] values) {
    float[] rounded = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      rounded[i] = Float.float16ToFloat(Float.floatToFloat16(values[i]));
    }
    return rounded;
  }
}

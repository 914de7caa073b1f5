package dev.graft.autodiff;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.Session;
import dev.graft.runtime.SessionSettings;
import dev.graft.tensor.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a lowered node computes against the runtime's own fused kernel. */
final class LoweringsTest {

  private static final double TOLERANCE = 1e-5;

  @TempDir Path folder;

  /** Inputs of the node in order; an empty name is left out. */
  private final Map<String, Doubles> floats = new LinkedHashMap<>();

  private final Map<String, Doubles> integers = new LinkedHashMap<>();
  private final Map<String, Doubles> halfInts = new LinkedHashMap<>();
  private final List<String> inputs = new ArrayList<>();
  private final Random random = new Random(7);
  private int opset = 20;
  private List<String> outputs = List.of("y");

  private LoweringsTest x(int... shape) {
    return x(Doubles.random(random, shape));
  }

  private LoweringsTest x(Doubles values) {
    String name = "x" + inputs.size();
    floats.put(name, values);
    inputs.add(name);
    return this;
  }

  private LoweringsTest i(int[] shape, double... values) {
    String name = "i" + inputs.size();
    integers.put(name, Doubles.of(shape, values));
    inputs.add(name);
    return this;
  }

  private LoweringsTest outputs(String... names) {
    outputs = List.of(names);
    return this;
  }

  private LoweringsTest none() {
    inputs.add("");
    return this;
  }

  private void agrees(String operator, AttributeProto... attributes) throws IOException {
    agreesFor(0, operator, attributes);
  }

  /** Compares, with a gradient flowing in from the input at an index. */
  private void agreesFor(int input, String operator, AttributeProto... attributes)
      throws IOException {
    ModelProto fused = model(operator, attributes);
    Draft draft = Draft.of(fused);
    Inliner.inline(draft);
    new Lowerings(draft, new Emitter(draft)).apply(Activity.of(draft, List.of(inputs.get(input))));
    ModelProto lowered = draft.build();
    assertThat(lowered.getGraph().getNodeList().stream().map(OpNode::operator))
        .doesNotContain(operator);
    double[] expected = run(fused, "fused.onnx");
    double[] actual = run(lowered, "lowered.onnx");
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).isCloseTo(expected[i], within(TOLERANCE));
    }
    floats.clear();
    integers.clear();
    halfInts.clear();
    outputs = List.of("y");
    inputs.clear();
  }

  private double[] run(ModelProto model, String name) throws IOException {
    Path file = folder.resolve(name);
    Files.write(file, model.toByteArray());
    try (Session session = Session.open(file, SessionSettings.defaults())) {
      HostTensor found =
          requireNonNull(session.run(Map.of(), List.of("y"), Arena.ofAuto()).get("y"));
      return found.toDoubles();
    }
  }

  private ModelProto model(String operator, AttributeProto... attributes) {
    GraphProto.Builder graph = GraphProto.newBuilder();
    floats.forEach((name, values) -> graph.addInitializer(Interpreter.encoded(name, values)));
    integers.forEach((name, values) ->
        graph.addInitializer(
            Tensors.vector(name, values.longs()).toBuilder()
                .clearDims()
                .addAllDims(Emitter.longs(Arrays.stream(values.shape()).boxed().toList()))));
    halfInts.forEach((name, values) -> graph.addInitializer(int32(name, values)));
    int dot = operator.lastIndexOf('.');
    graph.addNode(
        NodeProto.newBuilder()
            .setName("fused")
            .setDomain(dot < 0 ? "" : operator.substring(0, dot))
            .setOpType(operator.substring(dot + 1))
            .addAllInput(inputs)
            .addAllOutput(outputs)
            .addAllAttribute(List.of(attributes)));
    graph.addOutput(
        RowLoss.withOutputs(ModelProto.getDefaultInstance(), List.of("y")).getGraph().getOutput(0));
    return RowLoss.model(opset, graph);
  }

  private LoweringsTest int32(int[] shape, double... values) {
    String name = "j" + inputs.size();
    halfInts.put(name, Doubles.of(shape, values));
    inputs.add(name);
    return this;
  }

  private static TensorProto int32(String name, Doubles values) {
    TensorProto.Builder tensor =
        TensorProto.newBuilder().setName(name).setDataType(DType.INT32.onnxCode());
    for (int length : values.shape()) {
      tensor.addDims(length);
    }
    for (int value : values.ints()) {
      tensor.addInt32Data(value);
    }
    return tensor.build();
  }

  @Test
  void activations() throws IOException {
    x(2, 3, 8).agrees("Gelu");
    x(2, 3, 8).agrees("Gelu", Attributes.of("approximate", "tanh"));
    x(2, 3, 8).x(8).agrees("com.microsoft.BiasGelu");
  }

  @Test
  void normsOfSums() throws IOException {
    x(2, 3, 8).x(2, 3, 8).x(8).x(8).x(8).agrees("com.microsoft.SkipLayerNormalization");
    x(2, 3, 8).x(2, 3, 8).x(8).agrees("com.microsoft.SkipLayerNormalization");
    x(2, 3, 8)
        .x(2, 3, 8)
        .x(8)
        .x(8)
        .agrees("com.microsoft.SkipSimplifiedLayerNormalization", Attributes.of("epsilon", 1e-3f));
  }

  @Test
  void rmsNormOfNewOperatorSets() throws IOException {
    opset = 23;
    x(2, 3, 8).x(8).agrees("RMSNormalization", Attributes.of("epsilon", 1e-3f));
  }

  @Test
  void rotaryPositionsInHalvesAndInterleaved() throws IOException {
    for (long interleaved : List.of(0L, 1L)) {
      x(2, 4, 3, 8)
          .i(new int[] {2, 3}, 0, 1, 2, 1, 2, 4)
          .x(6, 4)
          .x(6, 4)
          .agrees("com.microsoft.RotaryEmbedding", Attributes.of("interleaved", interleaved));
      x(2, 3, 32)
          .i(new int[] {2, 3}, 0, 1, 2, 1, 2, 4)
          .x(6, 2)
          .x(6, 2)
          .agrees(
              "com.microsoft.RotaryEmbedding",
              Attributes.of("interleaved", interleaved),
              Attributes.of("num_heads", 4L),
              Attributes.of("rotary_embedding_dim", 4L));
    }
  }

  @Test
  void rotaryPositionsOfNewOperatorSets() throws IOException {
    opset = 23;
    x(2, 4, 3, 8).x(6, 4).x(6, 4).i(new int[] {2, 3}, 0, 1, 2, 1, 2, 4).agrees("RotaryEmbedding");
  }

  @Test
  void packedAttention() throws IOException {
    x(2, 3, 8).x(8, 24).x(24).agrees("com.microsoft.Attention", Attributes.of("num_heads", 2L));
    x(2, 3, 8)
        .x(8, 20)
        .x(20)
        .agrees(
            "com.microsoft.Attention",
            Attributes.of("num_heads", 2L),
            Attributes.of("unidirectional", 1L),
            Attributes.ofInts("qkv_hidden_sizes", List.of(8L, 8L, 4L)));
  }

  @Test
  void attentionOfSeveralInputs() throws IOException {
    x(2, 3, 8)
        .x(2, 5, 8)
        .x(2, 5, 4)
        .x(20)
        .agrees("com.microsoft.MultiHeadAttention", Attributes.of("num_heads", 2L));
    x(2, 3, 8)
        .x(2, 3, 8)
        .x(2, 3, 8)
        .none()
        .none()
        .x(1, 4, 3, 3)
        .agrees("com.microsoft.MultiHeadAttention", Attributes.of("num_heads", 4L));
  }

  @Test
  void masksOfEveryForm() throws IOException {
    x(2, 3, 8)
        .x(8, 24)
        .x(24)
        .int32(new int[] {2, 3}, 1, 1, 0, 1, 1, 1)
        .agrees("com.microsoft.Attention", Attributes.of("num_heads", 2L));
    x(2, 3, 8)
        .x(8, 24)
        .x(24)
        .int32(new int[] {2}, 2, 3)
        .agrees("com.microsoft.Attention", Attributes.of("num_heads", 2L));
    x(1, 2, 8)
        .x(8, 24)
        .x(24)
        .int32(new int[] {1, 2, 2}, 1, 0, 1, 1)
        .agrees("com.microsoft.Attention", Attributes.of("num_heads", 2L));
    x(2, 3, 8)
        .x(2, 3, 8)
        .x(2, 3, 8)
        .none()
        .int32(new int[] {2, 3}, 1, 1, 0, 1, 1, 1)
        .agrees("com.microsoft.MultiHeadAttention", Attributes.of("num_heads", 2L));
  }

  @Test
  void groupedQueriesWithRotaryPositions() throws IOException {
    x(2, 3, 64)
        .x(2, 3, 32)
        .x(2, 3, 32)
        .x(2, 2, 0, 16)
        .x(2, 2, 0, 16)
        .int32(new int[] {2}, 2, 2)
        .int32(new int[0], 3)
        .x(6, 8)
        .x(6, 8)
        .outputs("y", "keys", "values")
        .agrees(
            "com.microsoft.GroupQueryAttention",
            Attributes.of("num_heads", 4L),
            Attributes.of("kv_num_heads", 2L),
            Attributes.of("do_rotary", 1L));
    x(2, 3, 128)
        .none()
        .none()
        .x(2, 2, 0, 16)
        .x(2, 2, 0, 16)
        .int32(new int[] {2}, 2, 2)
        .int32(new int[0], 3)
        .outputs("y", "keys", "values")
        .agrees(
            "com.microsoft.GroupQueryAttention",
            Attributes.of("num_heads", 4L),
            Attributes.of("kv_num_heads", 2L),
            Attributes.of("softcap", 2f),
            Attributes.of("scale", 0.5f));
  }

  @Test
  void embeddings() throws IOException {
    int32(new int[] {2, 3}, 0, 4, 2, 1, 1, 3)
        .int32(new int[] {2, 3}, 0, 0, 1, 1, 0, 1)
        .x(5, 8)
        .x(4, 8)
        .x(2, 8)
        .x(8)
        .x(8)
        .int32(new int[] {2, 3}, 1, 1, 1, 1, 1, 0)
        .outputs("y", "lengths")
        .agreesFor(2, "com.microsoft.EmbedLayerNormalization", Attributes.of("epsilon", 1e-3f));
  }
}

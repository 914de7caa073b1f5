package dev.graft.autodiff;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.Session;
import dev.graft.runtime.SessionSettings;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.LongStream;

/**
 * Holds a rule to central differences of its operator in double precision, and what ONNX Runtime
 * makes of the emitted nodes in float32 to the double value. The loss is a random combination of
 * the operator's outputs. Every check runs twice: with shapes that the graph tells, and with shapes
 * that are known at run time only. Points where the two best difference quotients disagree lie near
 * a kink and are drawn again.
 */
final class RuleCheck {

  private static final double EXACT = 1e-6;
  private static final double FLOAT = 1e-5;
  private static final double STEP = 1e-3;
  private static final int DRAWS = 30;

  private final String operator;
  private final List<String> inputs = new ArrayList<>();
  private final Map<String, int[]> trainable = new LinkedHashMap<>();
  private final Map<String, DoubleUnaryOperator> domains = new HashMap<>();
  private final Map<String, Doubles> frozen = new LinkedHashMap<>();
  private final Map<String, long[]> integers = new LinkedHashMap<>();
  private final Map<String, Boolean> truths = new LinkedHashMap<>();
  private final List<AttributeProto> attributes = new ArrayList<>();
  private int outputs = 1;
  private List<Integer> used = List.of(0);
  private int opset = 17;
  private boolean isFixedOnly;

  private RuleCheck(String operator) {
    this.operator = operator;
  }

  static RuleCheck of(String operator) {
    return new RuleCheck(operator);
  }

  RuleCheck opset(int version) {
    opset = version;
    return this;
  }

  /** An input whose gradient is checked, drawn from the normal distribution. */
  RuleCheck x(int... shape) {
    return x(v -> v, shape);
  }

  /** An input whose gradient is checked, of normal numbers that go through a function first. */
  RuleCheck x(DoubleUnaryOperator domain, int... shape) {
    String name = "x" + inputs.size();
    trainable.put(name, shape);
    domains.put(name, domain);
    inputs.add(name);
    return this;
  }

  /** An input that is a constant to the gradient. */
  RuleCheck constant(Doubles values) {
    String name = "c" + inputs.size();
    frozen.put(name, values);
    inputs.add(name);
    return this;
  }

  /** An input of whole numbers in a vector. */
  RuleCheck vector(long... values) {
    String name = "i" + inputs.size();
    integers.put(name, values);
    inputs.add(name);
    return this;
  }

  /** An input that is left out. */
  RuleCheck none() {
    inputs.add("");
    return this;
  }

  /** A truth value without axes. */
  RuleCheck truth(String value) {
    String name = "t" + inputs.size();
    truths.put(name, Boolean.valueOf(value));
    inputs.add(name);
    return this;
  }

  RuleCheck with(AttributeProto... more) {
    attributes.addAll(List.of(more));
    return this;
  }

  /** How many outputs the node has, and which of them the loss depends on. */
  RuleCheck outputs(int count, Integer... usedOnes) {
    outputs = count;
    used = List.of(usedOnes);
    return this;
  }

  /** Leaves out the run with unknown shapes, of operators that need known ones. */
  RuleCheck fixedOnly() {
    isFixedOnly = true;
    return this;
  }

  /** Runs the check. */
  void holds(Path folder) {
    check(folder, true);
    if (!isFixedOnly) {
      check(folder, false);
    }
  }

  private void check(Path folder, boolean isFixed) {
    for (int seed = 1; seed <= DRAWS; seed++) {
      Map<String, Doubles> point = point(new Random(seed));
      ModelProto forward = model(point, isFixed);
      Map<String, Doubles> differences = differences(forward, point, STEP);
      Map<String, Doubles> finer = differences(forward, point, STEP / 2);
      if (point.keySet().stream()
          .allMatch(n -> distance(get(finer, n), get(differences, n)) < EXACT / 10)) {
        compare(folder, forward, finer);
        return;
      }
    }
    throw new AssertionError("every point drawn lies near a kink");
  }

  private void compare(Path folder, ModelProto forward, Map<String, Doubles> differences) {
    GradientGraph graph =
        Differentiation.of(new Objective(forward, "loss", List.copyOf(trainable.keySet())));
    Map<String, Doubles> values = Interpreter.run(graph.model(), feeds());
    Map<String, HostTensor> floats = run(folder, graph);
    graph
        .gradients()
        .forEach((name, gradient) -> {
          Doubles exact = get(values, gradient);
          assertThat(exact.shape())
              .as("shape of the gradient of " + name)
              .isEqualTo(get(differences, name).shape());
          assertThat(distance(exact, get(differences, name)))
              .as("%s: gradient of %s against central differences", operator, name)
              .isLessThan(EXACT);
          HostTensor found = requireNonNull(floats.get(gradient));
          assertThat(distance(Doubles.of(exact.shape(), found.toDoubles()), exact))
              .as("%s: gradient of %s in float32", operator, name)
              .isLessThan(FLOAT);
        });
  }

  private static Doubles get(Map<String, Doubles> values, String name) {
    return requireNonNull(values.get(name), name);
  }

  private Map<String, HostTensor> run(Path folder, GradientGraph graph) {
    Path file = folder.resolve("rule.onnx");
    List<String> wanted = List.copyOf(graph.gradients().values());
    try {
      Files.write(file, RowLoss.withOutputs(graph.model(), wanted).toByteArray());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    Map<String, HostTensor> tensors = new HashMap<>();
    feeds()
        .forEach((name, shape) ->
            tensors.put(name, HostTensor.ofLongs(Shape.of(shape.dim(0)), shape.longs())));
    try (Session session = Session.open(file, SessionSettings.defaults())) {
      // An input of the fixed form would not be there.
      tensors.keySet().retainAll(session.inputs().stream().map(i -> i.name()).toList());
      return session.run(tensors, wanted, Arena.ofAuto());
    }
  }

  private Map<String, Doubles> point(Random random) {
    Map<String, Doubles> point = new LinkedHashMap<>();
    trainable.forEach((name, shape) -> {
      Doubles drawn = Doubles.random(random, shape);
      DoubleUnaryOperator domain = requireNonNull(domains.get(name));
      point.put(name, drawn.map(domain).map(v -> (float) v));
    });
    return point;
  }

  /** The shapes of the trainable tensors, which the form with unknown shapes is fed. */
  private Map<String, Doubles> feeds() {
    Map<String, Doubles> feeds = new HashMap<>();
    trainable.forEach((name, shape) ->
        feeds.put("shape." + name, Doubles.vector(Arrays.stream(shape).asLongStream().toArray())));
    return feeds;
  }

  private ModelProto model(Map<String, Doubles> point, boolean isFixed) {
    GraphProto.Builder graph = GraphProto.newBuilder();
    Map<String, String> renamed = new HashMap<>();
    point.forEach((name, values) -> {
      graph.addInitializer(Interpreter.encoded(name, values));
      if (!isFixed) {
        String shape = "shape." + name;
        graph.addInput(RowLoss.value(shape, DType.INT64, String.valueOf(values.rank())));
        graph.addNode(node("Reshape", List.of(name, shape), List.of("open." + name)));
        renamed.put(name, "open." + name);
      }
    });
    frozen.forEach((name, values) -> graph.addInitializer(Interpreter.encoded(name, values)));
    integers.forEach((name, values) -> graph.addInitializer(Tensors.vector(name, values)));
    truths.forEach((name, value) ->
        graph.addInitializer(
            Tensors.integer(name, 0).toBuilder()
                .setDataType(DType.BOOL.onnxCode())
                .setRawData(
                    com.google.protobuf.ByteString.copyFrom(new byte[] {(byte) (value ? 1 : 0)}))));
    List<String> names = LongStream.range(0, outputs).mapToObj(i -> "y" + i).toList();
    graph.addNode(
        node(operator, inputs.stream().map(i -> renamed.getOrDefault(i, i)).toList(), names)
            .toBuilder()
            .addAllAttribute(attributes));
    addLoss(graph, point);
    return RowLoss.model(opset, graph);
  }

  /** Σ outputs · random weights; the weights are drawn after the outputs' shapes are known. */
  private void addLoss(GraphProto.Builder graph, Map<String, Doubles> point) {
    Map<String, Doubles> values = Interpreter.run(RowLoss.model(opset, graph.clone()), feeds());
    Random random = new Random(point.size());
    List<String> terms = new ArrayList<>();
    for (int i : used) {
      Doubles weights = Doubles.random(random, get(values, "y" + i).shape());
      graph.addInitializer(Interpreter.encoded("w" + i, weights));
      graph.addNode(node("Mul", List.of("y" + i, "w" + i), List.of("p" + i)));
      graph.addNode(
          node("ReduceSum", List.of("p" + i), List.of("s" + i)).toBuilder()
              .addAttribute(Attributes.of("keepdims", 0L)));
      terms.add("s" + i);
    }
    graph.addNode(node("Sum", terms, List.of("loss")));
  }

  private static NodeProto node(String operator, List<String> in, List<String> out) {
    int dot = operator.lastIndexOf('.');
    NodeProto.Builder node =
        NodeProto.newBuilder()
            .setOpType(operator.substring(dot + 1))
            .setName("node/" + out.getFirst())
            .addAllInput(in)
            .addAllOutput(out);
    return dot > 0 ? node.setDomain(operator.substring(0, dot)).build() : node.build();
  }

  /** Difference quotients of fourth order. */
  private Map<String, Doubles> differences(
      ModelProto model, Map<String, Doubles> point, double step) {
    Map<String, Doubles> result = new HashMap<>();
    point.forEach((name, values) -> {
      Doubles quotients = Doubles.zeros(values.shape());
      for (int i = 0; i < values.values().length; i++) {
        double near = loss(model, name, i, step) - loss(model, name, i, -step);
        double far = loss(model, name, i, 2 * step) - loss(model, name, i, -2 * step);
        quotients.values()[i] = (8 * near - far) / (12 * step);
      }
      result.put(name, quotients);
    });
    return result;
  }

  private double loss(ModelProto model, String name, int place, double by) {
    Map<String, Doubles> feeds = feeds();
    Doubles values =
        Interpreter.decoded(
            model.getGraph().getInitializerList().stream()
                .filter(t -> t.getName().equals(name))
                .findFirst()
                .orElseThrow());
    values.values()[place] += by;
    feeds.put(name, values);
    return get(Interpreter.run(model, feeds), "loss").values()[0];
  }

  /** The length of the difference relative to the expected one's, or itself where that is 0. */
  private static double distance(Doubles actual, Doubles expected) {
    double error = 0;
    double size = 0;
    for (int i = 0; i < expected.values().length; i++) {
      error += Math.pow(actual.values()[i] - expected.values()[i], 2);
      size += Math.pow(expected.values()[i], 2);
    }
    return Math.sqrt(size == 0 ? error : error / size);
  }
}

package dev.graft.autodiff;

import dev.graft.error.FormatException;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.OperatorSetIdProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.tensor.DType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A graph that is being rewritten: nodes in an order in which they can run, initializers by name,
 * and what is known of each value.
 */
final class Draft {

  static final String MICROSOFT = "com.microsoft";

  private final ModelProto model;
  private final int opset;
  private final Names names = new Names();
  private final Map<String, TensorProto> initializers = new LinkedHashMap<>();
  private final Map<String, ValueInfoProto> declared = new HashMap<>();
  private final Map<String, Facts> facts = new HashMap<>();
  private final Map<String, Integer> producers = new HashMap<>();
  private List<NodeProto> nodes;
  private boolean isWide;

  private Draft(ModelProto model) {
    this.model = model;
    this.opset = opset(model);
    GraphProto graph = model.getGraph();
    graph.getValueInfoList().forEach(v -> declared.put(v.getName(), v));
    graph.getOutputList().forEach(v -> declared.put(v.getName(), v));
    graph.getInputList().forEach(this::addInput);
    graph.getInitializerList().forEach(this::addInitializer);
    this.nodes = new ArrayList<>(graph.getNodeList());
    for (NodeProto node : nodes) {
      names.take(node.getName());
      node.getOutputList().forEach(names::take);
    }
  }

  /** A draft that begins as the main graph of a model. */
  static Draft of(ModelProto model) {
    return new Draft(model);
  }

  ModelProto model() {
    return model;
  }

  /** The version of ONNX's own operators. */
  int opset() {
    return opset;
  }

  Names names() {
    return names;
  }

  List<NodeProto> nodes() {
    return Collections.unmodifiableList(nodes);
  }

  /** Takes other nodes in place of the present ones, in an order in which they can run. */
  void replaceNodes(List<NodeProto> others) {
    nodes = new ArrayList<>(others);
    producers.clear();
    for (int i = 0; i < nodes.size(); i++) {
      index(i);
    }
  }

  /** Adds a node behind all others. */
  void append(NodeProto node) {
    nodes.add(node);
    index(nodes.size() - 1);
  }

  Optional<NodeProto> producer(String value) {
    return Optional.ofNullable(producers.get(value)).map(nodes::get);
  }

  /** The first outputs of a node that is there; those that had no name get one. */
  List<String> outputs(NodeProto node, int count) {
    int place = Objects.requireNonNull(producers.get(node.getOutput(0)));
    NodeProto.Builder named = nodes.get(place).toBuilder();
    for (int i = 0; i < count; i++) {
      if (i == named.getOutputCount()) {
        named.addOutput("");
      }
      if (named.getOutput(i).isEmpty()) {
        String name = names.fresh(node.getOutput(0) + "_output_" + i);
        named.setOutput(i, name);
        producers.put(name, place);
      }
    }
    nodes.set(place, named.build());
    return named.getOutputList().subList(0, count);
  }

  Optional<TensorProto> initializer(String name) {
    return Optional.ofNullable(initializers.get(name));
  }

  void addInitializer(TensorProto tensor) {
    names.take(tensor.getName());
    initializers.put(tensor.getName(), tensor);
    facts.put(tensor.getName(), Tensors.facts(tensor));
  }

  /** What is known of a value. */
  Facts facts(String value) {
    return facts.getOrDefault(value, Facts.NONE);
  }

  void learn(String value, Facts known) {
    facts.put(value, known);
  }

  /** The number that a value holds, where it is a constant of one element. */
  Optional<Double> number(String value) {
    Optional<TensorProto> stored =
        initializer(value)
            .or(() ->
                producer(value)
                    .filter(node -> OpNode.operator(node).equals("Constant"))
                    .flatMap(node -> ContentShapes.constantTensor(new OpNode(node, this))));
    return stored.flatMap(Tensors::number).or(() -> source(value).flatMap(this::number));
  }

  /** What a value is a copy of, be it in another type. */
  private Optional<String> source(String value) {
    return producer(value)
        .filter(n -> n.getOpType().equals("Identity") || n.getOpType().equals("Cast"))
        .map(n -> n.getInput(0));
  }

  /** What the graph declares of a value. */
  Facts declared(String value) {
    ValueInfoProto info = declared.get(value);
    Facts facts = info == null ? Facts.NONE : Tensors.facts(info);
    return isWide && Widening.isHalf(facts.type())
        ? facts.typed(Optional.of(DType.FLOAT32))
        : facts;
  }

  /** Whether a value is there before any node has run. */
  boolean isGiven(String value) {
    return initializers.containsKey(value)
        || model.getGraph().getInputList().stream().anyMatch(i -> i.getName().equals(value));
  }

  /** Whether some output of the graph has this name. */
  boolean isOutput(String value) {
    return model.getGraph().getOutputList().stream().anyMatch(o -> o.getName().equals(value));
  }

  /** Takes what is declared to be of half precision as float32 from now on. */
  void widen() {
    isWide = true;
  }

  /** The model with the nodes and initializers of now. */
  ModelProto build() {
    ModelProto.Builder built = model.toBuilder();
    built
        .getGraphBuilder()
        .clearNode()
        .addAllNode(nodes)
        .clearInitializer()
        .addAllInitializer(initializers.values())
        .clearValueInfo();
    if (isWide) {
      built.getGraphBuilder().getOutputBuilderList().stream()
          .map(output -> output.getTypeBuilder().getTensorTypeBuilder())
          .filter(type -> Widening.isHalf(DType.ofOnnx(type.getElemType())))
          .forEach(type -> type.setElemType(DType.FLOAT32.onnxCode()));
    }
    if (model.getOpsetImportList().stream().noneMatch(o -> o.getDomain().equals(MICROSOFT))) {
      built.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(MICROSOFT).setVersion(1));
    }
    return built.build();
  }

  private void addInput(ValueInfoProto input) {
    names.take(input.getName());
    facts.put(input.getName(), Tensors.facts(input));
  }

  private void index(int place) {
    for (String output : nodes.get(place).getOutputList()) {
      if (!output.isEmpty() && producers.put(output, place) != null) {
        throw new FormatException(
            "the value '%s' is produced by two nodes; the model is damaged".formatted(output));
      }
    }
  }

  private static int opset(ModelProto model) {
    return model.getOpsetImportList().stream()
        .filter(o -> o.getDomain().isEmpty() || o.getDomain().equals("ai.onnx"))
        .mapToInt(o -> Math.toIntExact(o.getVersion()))
        .max()
        .orElse(1);
  }
}

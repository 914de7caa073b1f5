package dev.graft.graph;

import dev.graft.graph.Scope.FunctionId;
import dev.graft.onnx.FunctionPart;
import dev.graft.onnx.GraphPart;
import dev.graft.onnx.NodePart;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.ValueInfoProto;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * All nodes of a model, of its subgraphs and functions too, with producers, readers and fan-out.
 */
public final class ModelGraph {

  private final OnnxModel model;
  private final List<GraphNode> nodes = new ArrayList<>();
  private final List<Scope> scopes = new ArrayList<>();
  private final IdentityHashMap<StoredTensor, Value> homes = new IdentityHashMap<>();
  private final Map<FunctionId, List<GraphNode>> calls = new HashMap<>();
  private final Map<FunctionId, Scope> functions = new HashMap<>();
  private final Set<String> names = new HashSet<>();
  private final Scope main;

  private ModelGraph(OnnxModel model) {
    this.model = model;
    this.main = new Scope("", null, Optional.empty());
    add(model.graph(), main);
    for (FunctionPart part : model.functions()) {
      add(part);
    }
    nodes.forEach(this::index);
    scopes.forEach(this::index);
  }

  /** Indexes a model. */
  public static ModelGraph of(OnnxModel model) {
    return new ModelGraph(model);
  }

  /** The model. */
  public OnnxModel model() {
    return model;
  }

  /** The main graph's names. */
  public Scope main() {
    return main;
  }

  /** Every node, outer graphs before inner ones, functions last. */
  public List<GraphNode> nodes() {
    return Collections.unmodifiableList(nodes);
  }

  /** Every graph and function body, outer graphs before inner ones, functions last. */
  public List<Scope> scopes() {
    return Collections.unmodifiableList(scopes);
  }

  /** Every place where a value is read; a subgraph's reading of an outer value included. */
  public List<Use> uses(Value value) {
    return value.scope().uses(value.name());
  }

  /** Whether a value is an output of its graph or function, or of a graph inside that one. */
  public boolean leaves(Value value) {
    return value.scope().leaves(value.name());
  }

  /**
   * The value that a stored tensor is: its initializer's or its Constant node's. Empty for tensors
   * that are something else, such as an attribute of another operator.
   */
  public Optional<Value> valueOf(StoredTensor tensor) {
    return Optional.ofNullable(homes.get(tensor));
  }

  /** The tensor that a value is, if it is an initializer or a Constant. */
  public static Optional<StoredTensor> stored(Value value) {
    Optional<GraphNode> producer = value.scope().producer(value.name());
    return producer.isPresent()
        ? producer.flatMap(ModelGraph::constant)
        : value.scope().initializer(value.name());
  }

  /** The nodes that call a function. */
  public List<GraphNode> calls(FunctionId function) {
    return calls.getOrDefault(function, List.of());
  }

  /** The body of a model-local function. */
  public Optional<Scope> function(FunctionId id) {
    return Optional.ofNullable(functions.get(id));
  }

  /** A name that nothing in the model has yet; it is taken from then on. */
  public String freshName(String wish) {
    String name = wish;
    for (int i = 1; !names.add(name); i++) {
      name = wish + "_" + i;
    }
    return name;
  }

  private void add(GraphPart part, Scope scope) {
    scopes.add(scope);
    part.proto().getInputList().forEach(input -> scope.addInput(input.getName()));
    part.proto().getOutputList().forEach(output -> scope.addOutput(output.getName()));
    for (ValueInfoProto info : part.proto().getValueInfoList()) {
      scope.addValueInfo(info);
      // A new value must not get the shape that is declared for another.
      names.add(info.getName());
    }
    for (StoredTensor tensor : part.initializers()) {
      scope.addInitializer(tensor);
      names.add(tensor.name());
    }
    part.proto().getInputList().forEach(input -> names.add(input.getName()));
    addNodes(part.nodes(), scope);
  }

  private void add(FunctionPart part) {
    FunctionId id =
        new FunctionId(
            part.proto().getDomain(), part.proto().getName(), part.proto().getOverload());
    Scope scope = new Scope("function " + part.proto().getName(), null, Optional.of(id));
    functions.put(id, scope);
    scopes.add(scope);
    part.proto().getInputList().forEach(scope::addInput);
    part.proto().getOutputList().forEach(scope::addOutput);
    part.proto().getValueInfoList().forEach(scope::addValueInfo);
    addNodes(part.nodes(), scope);
  }

  private void addNodes(List<NodePart> parts, Scope scope) {
    for (NodePart part : parts) {
      GraphNode node = new GraphNode(part, scope);
      nodes.add(node);
      for (String output : part.proto().getOutputList()) {
        scope.addProducer(output, node);
        names.add(output);
      }
    }
    for (NodePart part : parts) {
      for (GraphPart subgraph : part.subgraphs()) {
        add(subgraph, new Scope(part.label(), scope, Optional.empty()));
      }
    }
  }

  private void index(GraphNode node) {
    for (int i = 0; i < node.inputs().size(); i++) {
      Use use = new Use(node, i);
      node.input(i)
          .flatMap(node.scope()::resolve)
          .ifPresent(value -> value.scope().addUse(value.name(), use));
    }
    if (functions.containsKey(node.callee())) {
      calls.computeIfAbsent(node.callee(), f -> new ArrayList<>()).add(node);
    }
    Optional<StoredTensor> constant = constant(node);
    if (constant.isPresent() && node.output().isPresent()) {
      homes.put(constant.get(), new Value(node.scope(), node.output().get()));
    }
  }

  private void index(Scope scope) {
    for (String name : scope.initializerNames()) {
      scope.initializer(name).ifPresent(t -> homes.put(t, new Value(scope, name)));
    }
    for (String output : scope.outputs()) {
      scope.resolve(output).ifPresent(value -> value.scope().addLeaving(value.name()));
    }
  }

  private static Optional<StoredTensor> constant(GraphNode node) {
    return node.operator().equals("Constant")
        ? Optional.ofNullable(node.part().tensors().get("value"))
        : Optional.empty();
  }
}

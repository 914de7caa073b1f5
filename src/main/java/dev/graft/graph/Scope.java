package dev.graft.graph;

import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.ValueInfoProto;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The names of one graph or function body. A subgraph sees the names of the graph around it; a
 * function sees its own only. Scopes are compared by identity.
 */
public final class Scope {

  private final String label;
  private final @Nullable Scope outer;
  private final Optional<FunctionId> function;
  private final Map<String, GraphNode> producers = new HashMap<>();
  private final Map<String, StoredTensor> initializers = new HashMap<>();
  private final Map<String, ValueInfoProto> valueInfos = new HashMap<>();
  private final Map<String, Integer> inputs = new HashMap<>();
  private final List<String> inputNames = new ArrayList<>();
  private final Set<String> outputs = new LinkedHashSet<>();

  // By name and scope by scope: a map over pairs of the two would be slow where a stranger chose
  // names whose hashes collide.
  private final Map<String, List<Use>> uses = new HashMap<>();
  private final Set<String> leaving = new HashSet<>();

  /**
   * A function's identity.
   *
   * @param domain the operator domain of its calls
   * @param name the operator type of its calls
   * @param overload its overload, usually empty
   */
  public record FunctionId(String domain, String name, String overload)
      implements Comparable<FunctionId> {

    private static final Comparator<FunctionId> ORDER =
        Comparator.comparing(FunctionId::name)
            .thenComparing(FunctionId::domain)
            .thenComparing(FunctionId::overload);

    /** An order, so that hash maps stay quick where names were chosen to collide. */
    @Override
    public int compareTo(FunctionId other) {
      return ORDER.compare(this, other);
    }
  }

  Scope(String label, @Nullable Scope outer, Optional<FunctionId> function) {
    this.label = label;
    this.outer = outer;
    this.function = function;
  }

  /** How messages name the scope; empty for the main graph. */
  public String label() {
    return label;
  }

  /** The graph around a subgraph. */
  public Optional<Scope> outer() {
    return Optional.ofNullable(outer);
  }

  /** The function whose body this is. */
  public Optional<FunctionId> function() {
    return function;
  }

  /** The node that makes a value here. */
  public Optional<GraphNode> producer(String name) {
    return Optional.ofNullable(producers.get(name));
  }

  /** The initializer of this name here. */
  public Optional<StoredTensor> initializer(String name) {
    return Optional.ofNullable(initializers.get(name));
  }

  /** What the graph says of a value here. */
  public Optional<ValueInfoProto> valueInfo(String name) {
    return Optional.ofNullable(valueInfos.get(name));
  }

  /** The place of a formal input here. */
  public Optional<Integer> input(String name) {
    return Optional.ofNullable(inputs.get(name));
  }

  /** The name of the formal input at a place. */
  public Optional<String> inputAt(int place) {
    return place < inputNames.size() ? Optional.of(inputNames.get(place)) : Optional.empty();
  }

  /** Names of all initializers here. */
  public Set<String> initializerNames() {
    return Collections.unmodifiableSet(initializers.keySet());
  }

  /** Names of the values that leave the graph or body. */
  public Set<String> outputs() {
    return Collections.unmodifiableSet(outputs);
  }

  /** Finds where a name that is read here is defined, outwards from here. */
  public Optional<Value> resolve(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      if (scope.defines(name)) {
        return Optional.of(new Value(scope, name));
      }
    }
    return Optional.empty();
  }

  private boolean defines(String name) {
    return producers.containsKey(name)
        || initializers.containsKey(name)
        || inputs.containsKey(name);
  }

  /** Every place where a value that is defined here is read. */
  List<Use> uses(String name) {
    return uses.getOrDefault(name, List.of());
  }

  /** Whether a value that is defined here leaves its graph or one inside it. */
  boolean leaves(String name) {
    return leaving.contains(name);
  }

  void addUse(String name, Use use) {
    uses.computeIfAbsent(name, n -> new ArrayList<>()).add(use);
  }

  void addLeaving(String name) {
    leaving.add(name);
  }

  void addProducer(String name, GraphNode node) {
    producers.put(name, node);
  }

  void addInitializer(StoredTensor tensor) {
    initializers.put(tensor.name(), tensor);
  }

  void addValueInfo(ValueInfoProto info) {
    valueInfos.put(info.getName(), info);
  }

  void addInput(String name) {
    // Some tools list an input twice.
    inputs.putIfAbsent(name, inputNames.size());
    inputNames.add(name);
  }

  void addOutput(String name) {
    outputs.add(name);
  }
}

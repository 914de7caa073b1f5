package dev.graft.onnx;

import dev.graft.onnx.GraphEdit.AddFunctionInput;
import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.GraphEdit.AddValue;
import dev.graft.onnx.GraphEdit.Declaration;
import dev.graft.onnx.GraphEdit.ImportInFunction;
import dev.graft.onnx.GraphEdit.ImportOperators;
import dev.graft.onnx.GraphEdit.InsertNodes;
import dev.graft.onnx.GraphEdit.Keeping;
import dev.graft.onnx.GraphEdit.RemoveInitializer;
import dev.graft.onnx.GraphEdit.RemoveNode;
import dev.graft.onnx.GraphEdit.RemoveValue;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.ReplaceTensor;
import dev.graft.onnx.GraphEdit.ReplaceValue;
import dev.graft.onnx.GraphEdit.SetAttribute;
import dev.graft.onnx.GraphEdit.SetDimension;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.GraphEdit.Side;
import dev.graft.onnx.Outputs.Values;
import dev.graft.onnx.StoredTensor.Storage;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Edits of a random model that can be carried out together, the same for the same seed. */
final class RandomEdits {

  private static final DType[] TYPES = {DType.FLOAT32, DType.FLOAT16, DType.INT64, DType.INT4};

  private final OnnxModel base;
  private final Random random;
  private final List<GraphEdit> edits = new ArrayList<>();
  private final Map<StoredTensor, byte[]> values = new LinkedHashMap<>();
  private final Map<String, byte[]> contents = new HashMap<>();
  private final Map<String, String> locations = new HashMap<>();
  private final Set<MessageSpan> gone = new HashSet<>();
  private final Set<MessageSpan> touched = new HashSet<>();
  private int names;

  RandomEdits(OnnxModel base, long seed) {
    this.base = base;
    this.random = new Random(seed);
    nodes(base.graph().nodes());
    for (FunctionPart function : base.functions()) {
      nodes(function.nodes());
      function(function);
    }
    base.tensors().forEach(this::tensor);
    for (Declaration list : Declaration.values()) {
      declared(list);
    }
    mainGraph();
    for (String location : base.dataFiles().keySet()) {
      if (random.nextBoolean()) {
        locations.put(location, "out" + "t".repeat(random.nextInt(150)) + locations.size());
      }
    }
  }

  /** What is changed beside plain values. */
  List<GraphEdit> edits() {
    return edits;
  }

  /** New values of tensors whose kind stays. */
  Map<StoredTensor, byte[]> values() {
    return values;
  }

  /** New values of all tensors that get some, by name. */
  Map<String, byte[]> contents() {
    return contents;
  }

  /** New locations of data files. */
  Map<String, String> locations() {
    return locations;
  }

  /** Whether a message is the same afterwards, length prefixes below it included. */
  boolean isUntouched(MessageSpan span) {
    return !touched.contains(span) && !isGone(span);
  }

  boolean isGone(MessageSpan span) {
    return gone.contains(span) || span.parent().map(this::isGone).orElse(false);
  }

  /** Notes that something changes in a message. */
  void touch(MessageSpan span) {
    touched.add(span);
    span.parent().ifPresent(this::touch);
  }

  private void nodes(List<NodePart> nodes) {
    for (NodePart node : nodes) {
      if (chance(4)) {
        Side side = random.nextBoolean() ? Side.AFTER : Side.BEFORE;
        edits.add(new InsertNodes(node, side, newNodes()));
        node.span().parent().ifPresent(this::touch);
      }
      if (chance(8)) {
        edits.add(new RemoveNode(node));
        remove(node.span());
      } else {
        node(node);
        node.subgraphs()
            .forEach(graph -> {
              if (!isGone(graph.span())) {
                nodes(graph.nodes());
              }
            });
      }
    }
  }

  private void node(NodePart node) {
    NodeProto proto = node.proto();
    int before = edits.size();
    for (int i = 0; i < proto.getOutputCount(); i++) {
      if (chance(4)) {
        edits.add(new RenameOutput(node, i, name()));
      }
    }
    if (chance(3)) {
      Set<Integer> inputs = new LinkedHashSet<>();
      for (int i = random.nextInt(4); i > 0; i--) {
        inputs.add(random.nextInt(proto.getInputCount() + 4));
      }
      inputs.forEach(i -> edits.add(new SetInput(node, i, chance(4) ? "" : name())));
    }
    for (int i = 0; i < proto.getAttributeCount(); i++) {
      if (chance(6)) {
        int place = i;
        edits.add(new SetAttribute(node, Attributes.of(proto.getAttribute(i).getName(), 1.5f)));
        node.span().children(5).stream()
            .filter(span -> span.index() == place)
            .forEach(this::remove);
      }
    }
    if (chance(4)) {
      edits.add(new SetAttribute(node, Attributes.of(name(), random.nextLong())));
    }
    if (edits.size() > before) {
      touch(node.span());
    }
  }

  private void function(FunctionPart function) {
    if (chance(2)) {
      edits.add(new AddFunctionInput(function, name()));
      edits.add(new ImportInFunction(function, "com.microsoft", 1));
    }
  }

  private void tensor(StoredTensor tensor) {
    if (isGone(tensor.span())) {
      return;
    }
    MessageKind around = tensor.span().parent().orElseThrow().kind();
    if (around == MessageKind.GRAPH && chance(8)) {
      edits.add(new RemoveInitializer(tensor));
      remove(tensor.span());
    } else if (around != MessageKind.SPARSE_TENSOR && chance(4)) {
      edits.add(new ReplaceTensor(tensor, newTensor(tensor.name())));
      remove(tensor.span());
    } else if (chance(4)) {
      byte[] bytes = Protos.noise(Math.toIntExact(tensor.bytes()), random.nextInt());
      values.put(tensor, bytes);
      if (bytes.length > 0 || tensor.storage() != Storage.TYPED) {
        contents.put(tensor.name(), bytes);
      }
      touch(tensor.span());
    }
  }

  private void declared(Declaration list) {
    GraphProto graph = base.proto().getGraph();
    List<ValueInfoProto> present =
        switch (list) {
          case INPUT -> graph.getInputList();
          case OUTPUT -> graph.getOutputList();
          case VALUE_INFO -> graph.getValueInfoList();
        };
    for (ValueInfoProto value : present) {
      int rank = value.getType().getTensorType().getShape().getDimCount();
      switch (random.nextInt(6)) {
        case 0 -> edits.add(new RemoveValue(list, value.getName()));
        case 1 -> edits.add(new ReplaceValue(list, newValue(value.getName())));
        case 2, 3 -> {
          for (int i = 0; i < rank; i++) {
            int axis = random.nextBoolean() ? i : i - rank;
            edits.add(new SetDimension(list, value.getName(), axis, random.nextInt(1000)));
          }
        }
        default -> {}
      }
    }
    for (int i = random.nextInt(3); i > 0; i--) {
      edits.add(new AddValue(list, newValue(name())));
    }
  }

  private void mainGraph() {
    for (int i = random.nextInt(3); i > 0; i--) {
      Keeping keeping = random.nextBoolean() ? Keeping.EMBEDDED : Keeping.LIKE_BASE;
      edits.add(new AddInitializer(newTensor(name()), keeping));
    }
    if (random.nextBoolean()) {
      edits.add(new ImportOperators("com.microsoft", 1));
    }
  }

  private List<NodeProto> newNodes() {
    List<NodeProto> nodes = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      nodes.add(Protos.node("Add", name(), name(), "x".repeat(random.nextInt(200))));
    }
    return nodes;
  }

  private NewTensor newTensor(String name) {
    DType type = TYPES[random.nextInt(TYPES.length)];
    long[] dims = new long[random.nextInt(3)];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = random.nextInt(chance(3) ? 100 : 6);
    }
    Shape shape = Shape.of(dims);
    byte[] content = Protos.noise(Math.toIntExact(type.bytes(shape.elements())), random.nextInt());
    contents.put(name, content);
    return new NewTensor(name, type, shape, new Values(content));
  }

  private ValueInfoProto newValue(String name) {
    ValueInfoProto.Builder value = ValueInfoProto.newBuilder().setName(name);
    value.getTypeBuilder().getTensorTypeBuilder().setElemType(random.nextInt(17));
    return value.build();
  }

  private void remove(MessageSpan span) {
    gone.add(span);
    touch(span);
  }

  private boolean chance(int oneIn) {
    return random.nextInt(oneIn) == 0;
  }

  private String name() {
    return "new" + names++ + "_".repeat(random.nextInt(8) == 0 ? 130 : 0);
  }
}

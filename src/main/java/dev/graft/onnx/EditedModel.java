package dev.graft.onnx;

import dev.graft.onnx.GraphEdit.AddFunctionInput;
import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.GraphEdit.AddValue;
import dev.graft.onnx.GraphEdit.ImportInFunction;
import dev.graft.onnx.GraphEdit.ImportOperators;
import dev.graft.onnx.GraphEdit.InsertNodes;
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
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.FunctionProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.OperatorSetIdProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.TrainingInfoProto;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;

/**
 * What edits make of a parsed model. It shares nothing with the code that patches files, so that
 * the one can be held against the other.
 */
public final class EditedModel {

  private final IdentityHashMap<Object, List<GraphEdit>> byPlace = new IdentityHashMap<>();
  private final List<GraphEdit> edits;

  private EditedModel(List<GraphEdit> edits) {
    this.edits = edits;
    for (GraphEdit edit : edits) {
      byPlace.computeIfAbsent(place(edit), p -> new ArrayList<>()).add(edit);
    }
  }

  /**
   * The model after edits that a {@link ModelPatch} takes.
   *
   * @param base the model before
   * @param edits all edits, in the order of their calls
   * @return the model without its large payloads; tensors that an edit adds or replaces have no
   *     values and no place of external data
   */
  public static ModelProto of(OnnxModel base, List<GraphEdit> edits) {
    return new EditedModel(edits).model(base.proto());
  }

  /** The message that an edit is about; the class of the edit where that is the whole model. */
  private static Object place(GraphEdit edit) {
    return switch (edit) {
      case InsertNodes e -> e.anchor().proto();
      case RemoveNode e -> e.node().proto();
      case RenameOutput e -> e.node().proto();
      case SetInput e -> e.node().proto();
      case SetAttribute e -> e.node().proto();
      case RemoveInitializer e -> e.tensor().proto();
      case ReplaceTensor e -> e.tensor().proto();
      case ImportInFunction e -> e.function().proto();
      case AddFunctionInput e -> e.function().proto();
      default -> edit.getClass();
    };
  }

  private List<GraphEdit> at(Object place) {
    return byPlace.getOrDefault(place, List.of());
  }

  private ModelProto model(ModelProto model) {
    ModelProto.Builder edited = model.toBuilder();
    GraphProto.Builder graph = graph(model.getGraph()).toBuilder();
    edits.forEach(edit -> onMainGraph(edit, graph));
    edited.setGraph(graph);
    for (int i = 0; i < model.getFunctionsCount(); i++) {
      edited.setFunctions(i, function(model.getFunctions(i)));
    }
    for (int i = 0; i < model.getTrainingInfoCount(); i++) {
      edited.setTrainingInfo(i, training(model.getTrainingInfo(i)));
    }
    for (GraphEdit edit : edits) {
      if (edit instanceof ImportOperators(String domain, long version)
          && !isImported(edited.getOpsetImportList(), domain)) {
        edited.addOpsetImport(operatorSet(domain, version));
      }
    }
    return edited.build();
  }

  private FunctionProto function(FunctionProto function) {
    FunctionProto.Builder edited = function.toBuilder();
    edited.clearNode().addAllNode(nodes(function.getNodeList()));
    for (int i = 0; i < function.getAttributeProtoCount(); i++) {
      edited.setAttributeProto(i, attribute(function.getAttributeProto(i)));
    }
    for (GraphEdit edit : at(function)) {
      if (edit instanceof AddFunctionInput(_, String name)) {
        edited.addInput(name);
      } else if (edit instanceof ImportInFunction(_, String domain, long version)
          && !isImported(edited.getOpsetImportList(), domain)) {
        edited.addOpsetImport(operatorSet(domain, version));
      }
    }
    return edited.build();
  }

  private TrainingInfoProto training(TrainingInfoProto info) {
    TrainingInfoProto.Builder edited = info.toBuilder();
    if (info.hasInitialization()) {
      edited.setInitialization(graph(info.getInitialization()));
    }
    if (info.hasAlgorithm()) {
      edited.setAlgorithm(graph(info.getAlgorithm()));
    }
    return edited.build();
  }

  private GraphProto graph(GraphProto graph) {
    GraphProto.Builder edited = graph.toBuilder();
    edited.clearNode().addAllNode(nodes(graph.getNodeList()));
    edited.clearInitializer();
    for (TensorProto tensor : graph.getInitializerList()) {
      if (at(tensor).stream().noneMatch(RemoveInitializer.class::isInstance)) {
        edited.addInitializer(tensor(tensor));
      }
    }
    return edited.build();
  }

  private List<NodeProto> nodes(List<NodeProto> nodes) {
    List<NodeProto> edited = new ArrayList<>(nodes.size());
    for (NodeProto node : nodes) {
      List<GraphEdit> here = at(node);
      edited.addAll(inserted(here, Side.BEFORE));
      if (here.stream().noneMatch(RemoveNode.class::isInstance)) {
        edited.add(node(node, here));
      }
      edited.addAll(inserted(here, Side.AFTER));
    }
    return edited;
  }

  private static List<NodeProto> inserted(List<GraphEdit> here, Side wanted) {
    List<NodeProto> inserted = new ArrayList<>();
    for (GraphEdit edit : here) {
      if (edit instanceof InsertNodes(_, Side side, List<NodeProto> nodes) && side == wanted) {
        inserted.addAll(nodes);
      }
    }
    return inserted;
  }

  private NodeProto node(NodeProto node, List<GraphEdit> here) {
    NodeProto.Builder edited = node.toBuilder();
    for (int i = 0; i < node.getAttributeCount(); i++) {
      edited.setAttribute(i, attribute(node.getAttribute(i)));
    }
    for (GraphEdit edit : here) {
      switch (edit) {
        case RenameOutput(_, int output, String name) -> edited.setOutput(output, name);
        case SetInput(_, int input, String name) -> {
          while (edited.getInputCount() <= input) {
            edited.addInput("");
          }
          edited.setInput(input, name);
        }
        case SetAttribute(_, AttributeProto attribute) -> setAttribute(edited, attribute);
        default -> {}
      }
    }
    return edited.build();
  }

  private static void setAttribute(NodeProto.Builder node, AttributeProto attribute) {
    List<AttributeProto> others = new ArrayList<>();
    int place = -1;
    for (AttributeProto present : node.getAttributeList()) {
      if (!present.getName().equals(attribute.getName())) {
        others.add(present);
      } else if (place < 0) {
        place = others.size();
      }
    }
    others.add(place < 0 ? others.size() : place, attribute);
    node.clearAttribute().addAllAttribute(others);
  }

  private AttributeProto attribute(AttributeProto attribute) {
    AttributeProto.Builder edited = attribute.toBuilder();
    if (attribute.hasT()) {
      edited.setT(tensor(attribute.getT()));
    }
    if (attribute.hasG()) {
      edited.setG(graph(attribute.getG()));
    }
    for (int i = 0; i < attribute.getTensorsCount(); i++) {
      edited.setTensors(i, tensor(attribute.getTensors(i)));
    }
    for (int i = 0; i < attribute.getGraphsCount(); i++) {
      edited.setGraphs(i, graph(attribute.getGraphs(i)));
    }
    return edited.build();
  }

  private TensorProto tensor(TensorProto tensor) {
    for (GraphEdit edit : at(tensor)) {
      if (edit instanceof ReplaceTensor(_, NewTensor replacement)) {
        TensorProto.Builder edited = tensor.toBuilder().clearDims();
        edited.clearRawData().clearFloatData().clearDoubleData().clearStringData();
        edited.clearInt32Data().clearInt64Data().clearUint64Data();
        edited.clearExternalData().clearDataLocation();
        return kind(edited, replacement).build();
      }
    }
    return tensor;
  }

  private static void onMainGraph(GraphEdit edit, GraphProto.Builder graph) {
    switch (edit) {
      case AddInitializer(NewTensor tensor, _) ->
          graph.addInitializer(kind(TensorProto.newBuilder().setName(tensor.name()), tensor));
      case AddValue _, ReplaceValue _, RemoveValue _, SetDimension _ ->
          EditedValues.apply(edit, graph);
      default -> {}
    }
  }

  private static TensorProto.Builder kind(TensorProto.Builder tensor, NewTensor as) {
    for (long dim : as.shape().toArray()) {
      tensor.addDims(dim);
    }
    return tensor.setDataType(as.dtype().onnxCode());
  }

  private static boolean isImported(List<OperatorSetIdProto> imports, String domain) {
    return imports.stream()
        .anyMatch(i -> i.getDomain().equals(domain) || (isOnnx(i.getDomain()) && isOnnx(domain)));
  }

  private static boolean isOnnx(String domain) {
    return domain.isEmpty() || domain.equals("ai.onnx");
  }

  private static OperatorSetIdProto operatorSet(String domain, long version) {
    return OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(version).build();
  }
}

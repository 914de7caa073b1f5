package dev.graft.fold;

import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.FunctionProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.SparseTensorProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.TrainingInfoProto;

/** Messages without the values of the tensors in them, which are compared by themselves. */
final class Valueless {

  private Valueless() {}

  static NodeProto of(NodeProto node) {
    NodeProto.Builder plain = node.toBuilder();
    for (int i = 0; i < node.getAttributeCount(); i++) {
      plain.setAttribute(i, of(node.getAttribute(i)));
    }
    return plain.build();
  }

  static TensorProto of(TensorProto tensor) {
    return tensor.toBuilder()
        .clearRawData()
        .clearFloatData()
        .clearInt32Data()
        .clearInt64Data()
        .clearDoubleData()
        .clearUint64Data()
        .clearStringData()
        .clearExternalData()
        .clearDataLocation()
        .build();
  }

  static FunctionProto of(FunctionProto function) {
    FunctionProto.Builder plain = function.toBuilder();
    for (int i = 0; i < function.getAttributeProtoCount(); i++) {
      plain.setAttributeProto(i, of(function.getAttributeProto(i)));
    }
    return plain.build();
  }

  static TrainingInfoProto of(TrainingInfoProto info) {
    TrainingInfoProto.Builder plain = info.toBuilder();
    if (info.hasInitialization()) {
      plain.setInitialization(of(info.getInitialization()));
    }
    if (info.hasAlgorithm()) {
      plain.setAlgorithm(of(info.getAlgorithm()));
    }
    return plain.build();
  }

  private static AttributeProto of(AttributeProto attribute) {
    AttributeProto.Builder plain = attribute.toBuilder();
    if (attribute.hasT()) {
      plain.setT(of(attribute.getT()));
    }
    if (attribute.hasG()) {
      plain.setG(of(attribute.getG()));
    }
    if (attribute.hasSparseTensor()) {
      plain.setSparseTensor(of(attribute.getSparseTensor()));
    }
    for (int i = 0; i < attribute.getTensorsCount(); i++) {
      plain.setTensors(i, of(attribute.getTensors(i)));
    }
    for (int i = 0; i < attribute.getGraphsCount(); i++) {
      plain.setGraphs(i, of(attribute.getGraphs(i)));
    }
    for (int i = 0; i < attribute.getSparseTensorsCount(); i++) {
      plain.setSparseTensors(i, of(attribute.getSparseTensors(i)));
    }
    return plain.build();
  }

  private static SparseTensorProto of(SparseTensorProto tensor) {
    SparseTensorProto.Builder plain = tensor.toBuilder();
    if (tensor.hasValues()) {
      plain.setValues(of(tensor.getValues()));
    }
    if (tensor.hasIndices()) {
      plain.setIndices(of(tensor.getIndices()));
    }
    return plain.build();
  }

  private static GraphProto of(GraphProto graph) {
    GraphProto.Builder plain = graph.toBuilder();
    for (int i = 0; i < graph.getNodeCount(); i++) {
      plain.setNode(i, of(graph.getNode(i)));
    }
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      plain.setInitializer(i, of(graph.getInitializer(i)));
    }
    for (int i = 0; i < graph.getSparseInitializerCount(); i++) {
      plain.setSparseInitializer(i, of(graph.getSparseInitializer(i)));
    }
    return plain.build();
  }
}

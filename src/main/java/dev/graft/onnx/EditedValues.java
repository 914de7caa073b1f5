package dev.graft.onnx;

import dev.graft.onnx.GraphEdit.AddValue;
import dev.graft.onnx.GraphEdit.Declaration;
import dev.graft.onnx.GraphEdit.RemoveValue;
import dev.graft.onnx.GraphEdit.ReplaceValue;
import dev.graft.onnx.GraphEdit.SetDimension;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** What edits make of the values that a parsed main graph declares. */
final class EditedValues {

  private EditedValues() {}

  static void apply(GraphEdit edit, GraphProto.Builder graph) {
    switch (edit) {
      case AddValue(Declaration list, ValueInfoProto value) -> {
        List<ValueInfoProto> values = values(graph, list);
        values.add(value);
        declare(graph, list, values);
      }
      case ReplaceValue(Declaration list, ValueInfoProto value) ->
          redeclare(
              graph, list, v -> v.getName().equals(value.getName()) ? List.of(value) : List.of(v));
      case RemoveValue(Declaration list, String name) ->
          redeclare(graph, list, v -> v.getName().equals(name) ? List.of() : List.of(v));
      case SetDimension(Declaration list, String name, int axis, long size) ->
          redeclare(
              graph,
              list,
              v -> List.of(v.getName().equals(name) ? withDimension(v, axis, size) : v));
      default -> throw new IllegalArgumentException("not an edit of a declared value: " + edit);
    }
  }

  private static void redeclare(
      GraphProto.Builder graph,
      Declaration list,
      Function<ValueInfoProto, List<ValueInfoProto>> change) {
    List<ValueInfoProto> changed = new ArrayList<>();
    values(graph, list).forEach(v -> changed.addAll(change.apply(v)));
    declare(graph, list, changed);
  }

  private static List<ValueInfoProto> values(GraphProto.Builder graph, Declaration list) {
    return new ArrayList<>(
        switch (list) {
          case INPUT -> graph.getInputList();
          case OUTPUT -> graph.getOutputList();
          case VALUE_INFO -> graph.getValueInfoList();
        });
  }

  private static void declare(
      GraphProto.Builder graph, Declaration list, List<ValueInfoProto> values) {
    switch (list) {
      case INPUT -> graph.clearInput().addAllInput(values);
      case OUTPUT -> graph.clearOutput().addAllOutput(values);
      case VALUE_INFO -> graph.clearValueInfo().addAllValueInfo(values);
    }
  }

  private static ValueInfoProto withDimension(ValueInfoProto value, int axis, long size) {
    TypeProto.Tensor.Builder type = value.getType().getTensorType().toBuilder();
    int place = axis < 0 ? type.getShape().getDimCount() + axis : axis;
    type.getShapeBuilder().getDimBuilder(place).clearDimParam().setDimValue(size);
    return value.toBuilder().setType(value.getType().toBuilder().setTensorType(type)).build();
  }
}

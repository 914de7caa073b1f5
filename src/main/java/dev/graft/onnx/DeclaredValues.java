package dev.graft.onnx;

import dev.graft.onnx.GraphEdit.AddValue;
import dev.graft.onnx.GraphEdit.Declaration;
import dev.graft.onnx.GraphEdit.RemoveValue;
import dev.graft.onnx.GraphEdit.ReplaceValue;
import dev.graft.onnx.GraphEdit.SetDimension;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.TensorShapeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The values that the main graph declares, as its inputs, outputs and value infos, while edits come
 * in one after another. Some tools list an input twice: an edit means every entry of its name.
 */
final class DeclaredValues {

  /**
   * One entry.
   *
   * @param before the base's; empty if it is new
   * @param now what it is now; empty if it is removed
   */
  record Entry(Optional<ValueInfoProto> before, Optional<ValueInfoProto> now) {

    boolean isChanged() {
      return !before.equals(now);
    }

    private boolean isCalled(String name) {
      return now.isPresent() && now.get().getName().equals(name);
    }

    private Entry become(Optional<ValueInfoProto> value) {
      return new Entry(before, value);
    }
  }

  private final OnnxModel base;
  private final Map<Declaration, List<Entry>> lists = new EnumMap<>(Declaration.class);

  DeclaredValues(OnnxModel base) {
    this.base = base;
  }

  /** The entries of a list in order, removed ones included. */
  List<Entry> entries(Declaration list) {
    return lists.computeIfAbsent(list, this::ofBase);
  }

  /**
   * Carries out an edit.
   *
   * @throws IllegalArgumentException if the list has no such value, or has it already
   */
  void apply(GraphEdit edit) {
    switch (edit) {
      case AddValue(Declaration list, ValueInfoProto value) -> {
        if (entries(list).stream().anyMatch(e -> e.isCalled(value.getName()))) {
          throw new IllegalArgumentException(
              "the main graph has the %s '%s' already".formatted(list, value.getName()));
        }
        entries(list).add(new Entry(Optional.empty(), Optional.of(value)));
      }
      case ReplaceValue(Declaration list, ValueInfoProto value) ->
          change(list, value.getName(), _ -> Optional.of(value));
      case RemoveValue(Declaration list, String name) -> change(list, name, _ -> Optional.empty());
      case SetDimension(Declaration list, String name, int axis, long size) ->
          change(list, name, value -> Optional.of(withDimension(value, axis, size)));
      default -> throw new IllegalArgumentException("not an edit of a declared value: " + edit);
    }
  }

  /** What becomes of an entry. */
  private interface Change {
    Optional<ValueInfoProto> of(ValueInfoProto value);
  }

  private void change(Declaration list, String name, Change change) {
    List<Entry> entries = entries(list);
    boolean isFound = false;
    for (int i = 0; i < entries.size(); i++) {
      Entry entry = entries.get(i);
      if (entry.isCalled(name)) {
        entries.set(i, entry.become(change.of(entry.now().orElseThrow())));
        isFound = true;
      }
    }
    if (!isFound) {
      throw new IllegalArgumentException("the main graph has no %s '%s'".formatted(list, name));
    }
  }

  private List<Entry> ofBase(Declaration list) {
    GraphProto graph = base.proto().getGraph();
    List<ValueInfoProto> values =
        switch (list) {
          case INPUT -> graph.getInputList();
          case OUTPUT -> graph.getOutputList();
          case VALUE_INFO -> graph.getValueInfoList();
        };
    List<Entry> entries = new ArrayList<>(values.size());
    values.forEach(v -> entries.add(new Entry(Optional.of(v), Optional.of(v))));
    return entries;
  }

  private static ValueInfoProto withDimension(ValueInfoProto value, int axis, long size) {
    TensorShapeProto shape = value.getType().getTensorType().getShape();
    int rank = shape.getDimCount();
    int place = axis < 0 ? axis + rank : axis;
    if (place < 0 || place >= rank) {
      throw new IllegalArgumentException(
          "'%s' is declared with %d dimensions, none at axis %d"
              .formatted(value.getName(), rank, axis));
    }
    ValueInfoProto.Builder changed = value.toBuilder();
    changed
        .getTypeBuilder()
        .getTensorTypeBuilder()
        .getShapeBuilder()
        .getDimBuilder(place)
        .clearDimParam()
        .setDimValue(size);
    return changed.build();
  }
}

package dev.graft.onnx;

import dev.graft.onnx.GraphEdit.InsertNodes;
import dev.graft.onnx.GraphEdit.RemoveNode;
import dev.graft.onnx.GraphEdit.RenameOutput;
import dev.graft.onnx.GraphEdit.SetAttribute;
import dev.graft.onnx.GraphEdit.SetInput;
import dev.graft.onnx.GraphEdit.Side;
import dev.graft.onnx.proto.NodeProto;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Turns edits of nodes into edits of bytes. */
final class NodeEdits {

  static final int ATTRIBUTE = 5;

  private static final int INPUT = 1;
  private static final int OUTPUT = 2;

  private final FieldIndex fields;
  private final WirePatch wire;

  NodeEdits(FieldIndex fields, WirePatch wire) {
    this.fields = fields;
    this.wire = wire;
  }

  /** Carries out those edits that are about nodes. */
  void apply(List<GraphEdit> edits) {
    IdentityHashMap<NodePart, SortedMap<Integer, String>> inputs = new IdentityHashMap<>();
    // What goes behind a node comes before what goes in front of its neighbour, at the same byte.
    insert(edits, Side.AFTER);
    insert(edits, Side.BEFORE);
    for (GraphEdit edit : edits) {
      switch (edit) {
        case RemoveNode(NodePart node) -> wire.replace(around(node), fields.whole(node.span()));
        case RenameOutput(NodePart node, int output, String name) ->
            wire.replace(
                node.span(), fields.of(node.span(), OUTPUT).get(output), string(OUTPUT, name));
        case SetInput(NodePart node, int input, String name) ->
            inputs.computeIfAbsent(node, n -> new TreeMap<>()).put(input, name);
        case SetAttribute set -> setAttribute(set);
        default -> {}
      }
    }
    inputs.forEach(this::setInputs);
  }

  private void insert(List<GraphEdit> edits, Side wanted) {
    for (GraphEdit edit : edits) {
      if (edit instanceof InsertNodes(NodePart anchor, Side side, List<NodeProto> nodes)
          && side == wanted) {
        WireBytes bytes = new WireBytes();
        nodes.forEach(node -> bytes.bytes(anchor.span().field(), node.toByteArray()));
        wire.replace(around(anchor), place(anchor, side), Piece.Literal.of(bytes.toByteArray()));
      }
    }
  }

  private FieldRange place(NodePart anchor, Side side) {
    FieldRange whole = fields.whole(anchor.span());
    long at = side == Side.AFTER ? whole.end() : whole.start();
    return new FieldRange(at, at);
  }

  private void setInputs(NodePart node, SortedMap<Integer, String> names) {
    MessageSpan span = node.span();
    List<FieldRange> present = fields.of(span, INPUT);
    WireBytes beyond = new WireBytes();
    int next = present.size();
    for (Map.Entry<Integer, String> input : names.entrySet()) {
      if (input.getKey() < present.size()) {
        wire.replace(span, present.get(input.getKey()), string(INPUT, input.getValue()));
        continue;
      }
      while (next < input.getKey()) {
        beyond.string(INPUT, "");
        next++;
      }
      beyond.string(INPUT, input.getValue());
      next++;
    }
    byte[] added = beyond.toByteArray();
    if (added.length > 0) {
      wire.replace(span, fields.behind(span, INPUT), Piece.Literal.of(added));
    }
  }

  private void setAttribute(SetAttribute edit) {
    NodePart node = edit.node();
    byte[] bytes = edit.attribute().toByteArray();
    Piece field = Piece.Literal.of(new WireBytes().bytes(ATTRIBUTE, bytes).toByteArray());
    List<FieldRange> present = fields.of(node.span(), ATTRIBUTE);
    List<FieldRange> same = new ArrayList<>();
    for (int i = 0; i < present.size(); i++) {
      if (node.proto().getAttribute(i).getName().equals(edit.attribute().getName())) {
        same.add(present.get(i));
      }
    }
    if (same.isEmpty()) {
      wire.replace(node.span(), fields.behind(node.span(), ATTRIBUTE), field);
      return;
    }
    wire.replace(node.span(), same.getFirst(), field);
    same.subList(1, same.size()).forEach(again -> wire.replace(node.span(), again));
  }

  private static MessageSpan around(NodePart node) {
    return node.span().parent().orElseThrow();
  }

  private static Piece string(int field, String value) {
    return Piece.Literal.of(new WireBytes().string(field, value).toByteArray());
  }
}

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
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.OperatorSetIdProto;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The edits of one patch in the order of their calls. What cannot be carried out together is
 * refused when it comes in: a place that is set twice, and anything on what another edit removes or
 * replaces as a whole.
 */
final class EditLog {

  /** Something in a message that can be set once. */
  private record Slot(MessageSpan message, String what) {}

  private final OnnxModel base;
  private final DeclaredValues values;
  private final List<GraphEdit> edits = new ArrayList<>();
  private final Set<Slot> set = new HashSet<>();
  private final Map<MessageSpan, Map<String, Long>> imports = new HashMap<>();

  /** Messages that something changes in, or below. */
  private final Set<MessageSpan> touched = new HashSet<>();

  /** Messages of which nothing stays as it was. */
  private final Set<MessageSpan> gone = new HashSet<>();

  EditLog(OnnxModel base) {
    this.base = base;
    this.values = new DeclaredValues(base);
  }

  /** What was taken in so far. */
  List<GraphEdit> edits() {
    return Collections.unmodifiableList(edits);
  }

  /** What the main graph declares after these edits. */
  DeclaredValues values() {
    return values;
  }

  /** Whether a message, or one around it, is removed or replaced as a whole. */
  boolean isGone(MessageSpan span) {
    for (MessageSpan above = span; ; above = above.parent().get()) {
      if (gone.contains(above)) {
        return true;
      }
      if (above.parent().isEmpty()) {
        return false;
      }
    }
  }

  /**
   * Takes in an edit.
   *
   * @throws IllegalArgumentException if it names what the base does not have
   * @throws IllegalStateException if another edit rules it out
   */
  void add(GraphEdit edit) {
    switch (edit) {
      case InsertNodes(NodePart anchor, _, List<NodeProto> _) ->
          touch(ownSpan(anchor.span(), anchor.label()).parent().orElseThrow(), anchor.label());
      case RemoveNode(NodePart node) -> claim(ownSpan(node.span(), node.label()), node.label());
      case RenameOutput(NodePart node, int output, String _) -> setOnce(node, "output " + output);
      case SetInput(NodePart node, int input, String _) -> setOnce(node, "input " + input);
      case SetAttribute set -> setAttribute(set);
      case AddInitializer(NewTensor tensor, _) -> addInitializer(tensor);
      case RemoveInitializer(StoredTensor tensor) -> {
        requireInitializer(tensor);
        claim(tensor.span(), tensor.label());
      }
      case ReplaceTensor(StoredTensor tensor, _) -> {
        requireReplaceable(tensor);
        claim(tensor.span(), tensor.label());
      }
      case AddValue _, ReplaceValue _, RemoveValue _, SetDimension _ -> values.apply(edit);
      case ImportOperators(String domain, long version) -> {
        if (isImported(base.root(), base.proto().getOpsetImportList(), domain, version)) {
          return;
        }
      }
      case ImportInFunction(FunctionPart function, String domain, long version) -> {
        MessageSpan span = ownSpan(function.span(), function.proto().getName());
        if (isImported(span, function.proto().getOpsetImportList(), domain, version)) {
          return;
        }
      }
      case AddFunctionInput(FunctionPart function, String name) -> addInput(function, name);
    }
    edits.add(edit);
  }

  /** Takes note that a tensor gets new values in its place. */
  void addValues(StoredTensor tensor) {
    touch(ownSpan(tensor.span(), tensor.label()), tensor.label());
    if (!set.add(new Slot(tensor.span(), "values"))) {
      throw new IllegalArgumentException("tensor '" + tensor.label() + "' is replaced twice");
    }
  }

  private void setOnce(NodePart node, String what) {
    touch(ownSpan(node.span(), node.label()), node.label());
    if (!set.add(new Slot(node.span(), what))) {
      throw new IllegalStateException("%s of '%s' is set twice".formatted(what, node.label()));
    }
  }

  private void setAttribute(SetAttribute edit) {
    NodePart node = edit.node();
    String name = edit.attribute().getName();
    setOnce(node, "attribute '" + name + "'");
    for (MessageSpan below : node.span().children(NodeEdits.ATTRIBUTE)) {
      if (node.proto().getAttribute(below.index()).getName().equals(name)) {
        claim(below, node.label());
      }
    }
  }

  private void addInitializer(NewTensor tensor) {
    boolean isTaken =
        base.graph().initializers().stream()
            .anyMatch(t -> t.name().equals(tensor.name()) && !gone.contains(t.span()));
    if (isTaken || !set.add(new Slot(base.graph().span(), "initializer " + tensor.name()))) {
      throw new IllegalStateException(
          "the main graph would have two initializers '%s'".formatted(tensor.name()));
    }
  }

  private void addInput(FunctionPart function, String name) {
    MessageSpan span = ownSpan(function.span(), function.proto().getName());
    boolean isTaken = function.proto().getInputList().contains(name);
    if (isTaken || !set.add(new Slot(span, "input " + name))) {
      throw new IllegalStateException(
          "function '%s' would have two inputs '%s'".formatted(function.proto().getName(), name));
    }
  }

  private boolean isImported(
      MessageSpan span, List<OperatorSetIdProto> present, String domain, long version) {
    Map<String, Long> known = imports.computeIfAbsent(span, _ -> versions(present));
    Long before = known.putIfAbsent(spelled(domain), version);
    if (before != null && before != version) {
      throw new IllegalArgumentException(
          "%s imports version %d of the operator set '%s', not %d"
              .formatted(base.path(), before, domain, version));
    }
    return before != null;
  }

  private static Map<String, Long> versions(List<OperatorSetIdProto> imports) {
    Map<String, Long> versions = new HashMap<>();
    imports.forEach(i -> versions.put(spelled(i.getDomain()), i.getVersion()));
    return versions;
  }

  /** ONNX's own domain has two spellings. */
  private static String spelled(String domain) {
    return domain.equals("ai.onnx") ? "" : domain;
  }

  private void requireInitializer(StoredTensor tensor) {
    MessageSpan span = ownSpan(tensor.span(), tensor.label());
    if (span.parent().orElseThrow().kind() != MessageKind.GRAPH) {
      throw new IllegalArgumentException(
          "tensor '%s' is no initializer of a graph".formatted(tensor.label()));
    }
  }

  private void requireReplaceable(StoredTensor tensor) {
    MessageSpan span = ownSpan(tensor.span(), tensor.label());
    if (span.parent().orElseThrow().kind() == MessageKind.SPARSE_TENSOR) {
      throw new IllegalArgumentException(
          "tensor '%s' is part of a sparse tensor and cannot be replaced by itself"
              .formatted(tensor.label()));
    }
  }

  private MessageSpan ownSpan(MessageSpan span, String label) {
    MessageSpan top = span;
    while (top.parent().isPresent()) {
      top = top.parent().get();
    }
    if (top != base.root()) {
      throw new IllegalArgumentException("'%s' is no part of %s".formatted(label, base.path()));
    }
    return span;
  }

  /** Notes a change in a message, which must be there still. */
  private void touch(MessageSpan span, String label) {
    if (isGone(span)) {
      throw new IllegalStateException(
          "'%s' cannot be changed: another edit removes or replaces it".formatted(label));
    }
    for (MessageSpan above = span; touched.add(above) && above.parent().isPresent(); ) {
      above = above.parent().get();
    }
  }

  /** Notes that nothing of a message stays, for which nothing in it may change otherwise. */
  private void claim(MessageSpan span, String label) {
    if (touched.contains(span)) {
      throw new IllegalStateException(
          "'%s' cannot be removed or replaced: another edit changes it".formatted(label));
    }
    touch(span, label);
    gone.add(span);
  }
}

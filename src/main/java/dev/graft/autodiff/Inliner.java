package dev.graft.autodiff;

import dev.graft.error.UnsupportedException;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.FunctionProto;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.NodeProto;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Puts the bodies of model-local functions in place of their calls, and the branch that is taken in
 * place of each If whose condition is known beforehand. Facts are inferred on the way, because they
 * decide such conditions.
 */
final class Inliner {

  /** A function that calls itself would never end; ONNX forbids it. */
  private static final int MAX_DEPTH = 64;

  private final Draft draft;
  private final Inference inference;
  private final Map<String, FunctionProto> functions = new HashMap<>();
  private final List<NodeProto> done = new ArrayList<>();
  private final Deque<Pending> pending = new ArrayDeque<>();

  private record Pending(NodeProto node, int depth) {}

  private Inliner(Draft draft) {
    this.draft = draft;
    this.inference = new Inference(draft);
    draft.model().getFunctionsList().forEach(f -> functions.put(key(f), f));
  }

  /** Inlines within a draft, whose nodes are in order. */
  static void inline(Draft draft) {
    Inliner inliner = new Inliner(draft);
    draft.nodes().forEach(n -> inliner.pending.addLast(new Pending(n, 0)));
    while (!inliner.pending.isEmpty()) {
      inliner.place(inliner.pending.removeFirst());
    }
    draft.replaceNodes(inliner.done);
  }

  private void place(Pending next) {
    NodeProto node = next.node();
    FunctionProto function = functions.get(key(node));
    if (function != null) {
      requireDepth(next);
      replace(next, body(function, node));
      return;
    }
    Optional<GraphProto> branch = branch(node);
    if (branch.isPresent()) {
      replace(next, body(branch.get(), node));
    } else {
      inference.infer(node);
      done.add(node);
    }
  }

  private void replace(Pending call, List<NodeProto> body) {
    for (int i = body.size() - 1; i >= 0; i--) {
      pending.addFirst(new Pending(body.get(i), call.depth() + 1));
    }
  }

  private static void requireDepth(Pending call) {
    if (call.depth() > MAX_DEPTH) {
      throw new UnsupportedException(
          "%s calls functions more than %d deep; a function that calls itself cannot be trained"
              .formatted(Places.describe(call.node()), MAX_DEPTH));
    }
  }

  /** The branch of an If that is taken, if that is known. */
  private Optional<GraphProto> branch(NodeProto node) {
    OpNode view = new OpNode(node, draft);
    if (!view.operator().equals("If")) {
      return Optional.empty();
    }
    return condition(view)
        .flatMap(taken -> view.attribute(taken ? "then_branch" : "else_branch"))
        .map(AttributeProto::getG);
  }

  private static Optional<Boolean> condition(OpNode node) {
    return node.facts(0).numbers().filter(n -> n.length == 1).map(n -> n[0] != 0);
  }

  private List<NodeProto> body(GraphProto branch, NodeProto node) {
    Renaming names = new Renaming(draft.names(), label(node));
    branch
        .getInitializerList()
        .forEach(tensor ->
            draft.addInitializer(tensor.toBuilder().setName(names.own(tensor.getName())).build()));
    List<NodeProto> body = new ArrayList<>();
    branch.getNodeList().forEach(n -> n.getOutputList().forEach(names::own));
    branch.getNodeList().forEach(n -> body.add(names.renamed(n)));
    for (int i = 0; i < node.getOutputCount(); i++) {
      body.add(identity(names.of(branch.getOutput(i).getName()), node.getOutput(i)));
    }
    return body;
  }

  private List<NodeProto> body(FunctionProto function, NodeProto call) {
    Renaming names = new Renaming(draft.names(), label(call));
    for (int i = 0; i < function.getInputCount(); i++) {
      names.map(function.getInput(i), i < call.getInputCount() ? call.getInput(i) : "");
    }
    Map<String, AttributeProto> attributes = new HashMap<>();
    function.getAttributeProtoList().forEach(a -> attributes.put(a.getName(), a));
    call.getAttributeList().forEach(a -> attributes.put(a.getName(), a));
    List<NodeProto> body = new ArrayList<>();
    function.getNodeList().forEach(n -> n.getOutputList().forEach(names::own));
    function.getNodeList().forEach(n -> body.add(names.renamed(bound(n, attributes))));
    for (int i = 0; i < call.getOutputCount(); i++) {
      if (!call.getOutput(i).isEmpty()) {
        body.add(identity(names.of(function.getOutput(i)), call.getOutput(i)));
      }
    }
    return body;
  }

  /** A node of a function with the call's attributes in place of references to them. */
  private static NodeProto bound(NodeProto node, Map<String, AttributeProto> attributes) {
    NodeProto.Builder bound = node.toBuilder().clearAttribute();
    for (AttributeProto attribute : node.getAttributeList()) {
      if (attribute.getRefAttrName().isEmpty()) {
        bound.addAttribute(attribute);
      } else if (attributes.containsKey(attribute.getRefAttrName())) {
        bound.addAttribute(
            attributes.get(attribute.getRefAttrName()).toBuilder().setName(attribute.getName()));
      }
    }
    return bound.build();
  }

  private NodeProto identity(String from, String to) {
    return NodeProto.newBuilder()
        .setName(draft.names().fresh(to + "/Identity"))
        .setOpType("Identity")
        .addInput(from)
        .addOutput(to)
        .build();
  }

  private static String label(NodeProto node) {
    return node.getName().isEmpty() ? node.getOutput(0) : node.getName();
  }

  private static String key(NodeProto node) {
    return "%s %s %s".formatted(node.getDomain(), node.getOpType(), node.getOverload());
  }

  private static String key(FunctionProto function) {
    return "%s %s %s".formatted(function.getDomain(), function.getName(), function.getOverload());
  }
}

package dev.graft.autodiff;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.onnx.proto.NodeProto;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** One differentiation: from the loss back along the nodes that depend on a trainable tensor. */
final class Walk {

  private final Objective objective;
  private final Draft draft;
  private final Emitter emitter;

  Walk(Objective objective) {
    this.objective = objective;
    this.draft = Draft.of(objective.model());
    this.emitter = new Emitter(draft);
  }

  GradientGraph gradients() {
    draft.replaceNodes(Order.of(draft.nodes()));
    Inliner.inline(draft);
    Widening.apply(draft);
    requireTrainable();
    requireLoss();
    new Fusions(draft, emitter).apply(activity());
    new Lowerings(draft, emitter).apply(activity());
    List<NodeProto> forward = List.copyOf(draft.nodes());
    Gradients gradients = new Gradients(activity(), emitter);
    requireDependence(gradients);
    gradients.give(objective.loss(), new Part.Whole(seed()));
    for (NodeProto node : forward.reversed()) {
      if (node.getOutputList().stream().anyMatch(gradients::has)) {
        differentiate(node, gradients);
      }
    }
    SequencedMap<String, String> named = named(gradients);
    if (objective.activations() == Objective.Activations.RECOMPUTED) {
      Recomputation.apply(emitter, forward.size(), gradients::has);
    }
    return new GradientGraph(draft.build(), named);
  }

  private Activity activity() {
    return Activity.of(draft, objective.trainable());
  }

  private void differentiate(NodeProto node, Gradients gradients) {
    String label = node.getName().isEmpty() ? node.getOutput(0) : node.getName();
    emitter.begin(label + "/gradient");
    Rules.of(node).apply(new Differential(new OpNode(node, draft), gradients, emitter));
  }

  private String seed() {
    Facts loss = draft.facts(objective.loss());
    String one = emitter.scalar(emitter.typeOf(objective.loss()), 1);
    return loss.rank().orElse(0) == 0
        ? one
        : new Broadcasts(emitter).reshaped(one, objective.loss());
  }

  private SequencedMap<String, String> named(Gradients gradients) {
    SequencedMap<String, String> named = new LinkedHashMap<>();
    for (String name : objective.trainable()) {
      if (!gradients.has(name)) {
        throw independent(name);
      }
      emitter.begin(name + "/gradient");
      named.put(name, emitter.named(gradients.whole(name), name + "_grad"));
    }
    return named;
  }

  private void requireTrainable() {
    for (String name : objective.trainable()) {
      Facts facts = draft.facts(name);
      if (!draft.isGiven(name)) {
        throw new FormatException(
            "the graph has no initializer or input '%s', which is to be trained".formatted(name));
      }
      if (!facts.isFloat() || !facts.isStatic()) {
        throw new FormatException(
            "'%s' is to be trained, but is of type %s and shape %s; expected floats and a fixed shape"
                .formatted(
                    name,
                    facts.type().map(Object::toString).orElse("unknown"),
                    facts.dims().map(Object::toString).orElse("unknown")));
      }
    }
  }

  private void requireLoss() {
    String loss = objective.loss();
    Facts facts = draft.facts(loss);
    if (draft.producer(loss).isEmpty()) {
      throw new FormatException("no node of the graph computes the loss '%s'".formatted(loss));
    }
    boolean isMore =
        facts.dims().stream().flatMap(List::stream).anyMatch(d -> d.isConstant() && !d.is(1));
    if (isMore || (facts.type().isPresent() && !facts.isFloat())) {
      throw new FormatException(
          "the loss '%s' is of type %s and shape %s; expected one float"
              .formatted(
                  loss,
                  facts.type().map(Object::toString).orElse("unknown"),
                  facts.dims().map(Object::toString).orElse("unknown")));
    }
  }

  private void requireDependence(Gradients gradients) {
    if (!gradients.isActive(objective.loss())) {
      throw new UnsupportedException(
          "the loss '%s' depends on none of the trainable tensors %s"
              .formatted(objective.loss(), objective.trainable()));
    }
  }

  private UnsupportedException independent(String name) {
    return new UnsupportedException(
        "the loss '%s' does not depend on '%s'; train without it"
            .formatted(objective.loss(), name));
  }
}

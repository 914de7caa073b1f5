package dev.graft.autodiff;

import dev.graft.error.UnsupportedException;
import dev.graft.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One node seen from a rule: its values, the gradients that came, and where to give new ones. */
final class Differential {

  private final OpNode node;
  private final Gradients gradients;
  private final Emitter emitter;
  private final Broadcasts broadcasts;

  Differential(OpNode node, Gradients gradients, Emitter emitter) {
    this.node = node;
    this.gradients = gradients;
    this.emitter = emitter;
    this.broadcasts = new Broadcasts(emitter);
  }

  OpNode node() {
    return node;
  }

  Emitter emit() {
    return emitter;
  }

  Broadcasts broadcasts() {
    return broadcasts;
  }

  /** The name of an input. */
  String x(int index) {
    return node.input(index);
  }

  /**
   * The name of an input that a product in the backward pass reads. A half-precision weight is cast
   * once more for it, so that its float32 form does not live from the forward pass until then.
   */
  String factor(int index) {
    return emitter
        .draft()
        .producer(x(index))
        .filter(node -> OpNode.operator(node).equals("Cast"))
        .map(node -> node.getInput(0))
        .filter(weight -> emitter.draft().initializer(weight).isPresent())
        .map(weight -> emitter.cast(weight, type()))
        .orElse(x(index));
  }

  /** The name of the first output. */
  String y() {
    return node.proto().getOutput(0);
  }

  /** The first outputs of the node, by name; those that it did not give so far it gives now. */
  List<String> outputs(int count) {
    List<String> outputs = emitter.draft().outputs(node.proto(), count);
    emitter.infer(emitter.draft().producer(y()).orElseThrow());
    return outputs;
  }

  /** Whether an input depends on a trainable tensor. */
  boolean wants(int input) {
    return node.hasInput(input) && gradients.isActive(x(input));
  }

  /** Whether a gradient came for an output. */
  boolean has(int output) {
    return node.hasOutput(output) && gradients.has(node.proto().getOutput(output));
  }

  /** The gradient of the first output, as one tensor. */
  String dy() {
    return dy(0);
  }

  /** The gradient of an output that {@linkplain #has has} one, as one tensor. */
  String dy(int output) {
    return gradients.whole(node.proto().getOutput(output));
  }

  /** What came for the first output, in its parts. */
  List<Part> parts() {
    return gradients.parts(y());
  }

  /** Gives an input its gradient, of exactly its shape. */
  void give(int input, String gradient) {
    give(input, new Part.Whole(gradient));
  }

  /** Gives an input its gradient. */
  void give(int input, Part part) {
    gradients.give(x(input), part);
  }

  /** Gives an input its gradient, of a shape that the input was broadcast to. */
  void giveReduced(int input, String gradient) {
    give(input, broadcasts.reduced(gradient, x(input)));
  }

  /** Gives an input its gradient, which has as many elements in another shape. */
  void giveReshaped(int input, String gradient) {
    give(input, broadcasts.reshaped(gradient, x(input)));
  }

  /** The type that the node computes in. */
  DType type() {
    return emitter.draft().facts(y()).type().filter(Facts::isFloat).orElse(DType.FLOAT32);
  }

  /** A constant of the node's type. */
  String scalar(double value) {
    return emitter.scalar(type(), value);
  }

  /** The number that an input holds, where it is a constant of one element. */
  Optional<Double> number(int input) {
    return node.hasInput(input) ? emitter.draft().number(x(input)) : Optional.empty();
  }

  /** The number of an input's axes. */
  int rank(int input) {
    return node.facts(input)
        .rank()
        .orElseThrow(() -> refused("the number of axes of '%s' is not known".formatted(x(input))));
  }

  /** All axes from one on. */
  static List<Integer> axesFrom(int first, int rank) {
    List<Integer> axes = new ArrayList<>();
    for (int i = first; i < rank; i++) {
      axes.add(i);
    }
    return axes;
  }

  /** The error of a node that its rule cannot treat. */
  UnsupportedException refused(String reason) {
    return new UnsupportedException(
        "%s cannot be differentiated: %s".formatted(Places.describe(node.proto()), reason));
  }
}

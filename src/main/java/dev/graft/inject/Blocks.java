package dev.graft.inject;

import dev.graft.match.BoundTarget.Lora;
import dev.graft.match.OutputRange;
import dev.graft.onnx.Attributes;
import java.util.ArrayList;
import java.util.List;

/**
 * Where pairs lie among the outputs of a packed weight. A pair's B gets columns of zeros for the
 * outputs around it that no pair is for, so that the pairs' results side by side are as wide as the
 * weight. Of B, of its bias and of such vectors the outputs are the last axis.
 *
 * @param loras the pairs, in the order of their outputs
 * @param outputs how many the weight has
 */
record Blocks(List<Lora> loras, long outputs) {

  /** A pair's part, with what is added around it. */
  private record Padding(long before, long after) {
    boolean isNone() {
      return before == 0 && after == 0;
    }
  }

  private Padding padding(int index) {
    OutputRange own = loras.get(index).place().outputs();
    if (own.isAll()) {
      return new Padding(0, 0);
    }
    long next = index + 1 < loras.size() ? loras.get(index + 1).place().outputs().from() : outputs;
    return new Padding(index == 0 ? own.from() : 0, next - own.from() - own.count());
  }

  /** The columns of B that go here, with zeros for the outputs beside them. */
  String matrix(Nodes nodes, String label, int index, String b) {
    String own = cut(nodes, label, loras.get(index).pairOutputs(), new Cut(b, 1));
    Padding padding = padding(index);
    return padding.isNone()
        ? own
        : nodes.add(
            label + "/Pad",
            List.of(own, nodes.integers(label + "/pads", 0, padding.before(), 0, padding.after())));
  }

  /** The values of a vector that go here, with a number for the outputs beside them. */
  String vector(Nodes nodes, String label, int index, Filled vector) {
    String own = cut(nodes, label, loras.get(index).pairOutputs(), new Cut(vector.name(), 0));
    Padding padding = padding(index);
    return padding.isNone()
        ? own
        : nodes.add(
            label + "/Pad",
            List.of(
                own,
                nodes.integers(label + "/pads", padding.before(), padding.after()),
                nodes.number(label + "/fill", vector.fill())));
  }

  /**
   * A vector and what stands for the values that it lacks.
   *
   * @param name the vector
   * @param fill the number
   */
  record Filled(String name, float fill) {}

  /** Puts the results of all pairs side by side along an axis. */
  String joined(Nodes nodes, List<String> parts, long axis) {
    return parts.size() == 1
        ? parts.getFirst()
        : nodes.add("lora/Concat", parts, Attributes.of("axis", axis));
  }

  /** The weight's own outputs of one pair, along an axis of it. */
  String ofWeight(Nodes nodes, int index, String weight, int axis) {
    return cut(
        nodes, "lora_magnitude_vector", loras.get(index).place().outputs(), new Cut(weight, axis));
  }

  /** Whether each pair's outputs are its own, as those of a packed weight are. */
  boolean isPacked() {
    return loras.stream().noneMatch(l -> l.place().outputs().isAll());
  }

  /** One block for each pair that has all outputs, and one for those that share them. */
  List<Blocks> apart() {
    List<Lora> packed = loras.stream().filter(l -> !l.place().outputs().isAll()).toList();
    List<Blocks> apart = new ArrayList<>();
    loras.stream()
        .filter(l -> l.place().outputs().isAll())
        .forEach(l -> apart.add(new Blocks(List.of(l), outputs)));
    if (!packed.isEmpty()) {
      apart.add(new Blocks(packed, outputs));
    }
    return apart;
  }

  private record Cut(String value, long axis) {}

  private static String cut(Nodes nodes, String label, OutputRange range, Cut cut) {
    return range.isAll()
        ? cut.value()
        : nodes.add(
            label + "/Slice",
            List.of(
                cut.value(),
                nodes.integers(label + "/starts", range.from()),
                nodes.integers(label + "/ends", range.from() + range.count()),
                nodes.integers(label + "/axes", cut.axis())));
  }
}

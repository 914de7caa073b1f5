package dev.graft.inject;

import dev.graft.match.BoundTarget.Lora;
import dev.graft.match.OutputRange;
import dev.graft.onnx.Attributes;
import java.util.ArrayList;
import java.util.List;

/**
 * Where pairs lie among the outputs of a packed weight. What a pair makes gets zeros, or another
 * number, for the outputs around it that no pair is for, so that the pairs' results side by side
 * are as wide as the weight.
 *
 * @param loras the pairs, in the order of their outputs
 * @param outputs how many the weight has
 */
record Blocks(List<Lora> loras, long outputs) {

  Blocks {
    loras = List.copyOf(loras);
  }

  /** One block for each pair that has all outputs, and one for those that share them. */
  List<Blocks> apart() {
    List<Blocks> apart = new ArrayList<>();
    loras.stream()
        .filter(l -> l.place().outputs().isAll())
        .forEach(l -> apart.add(new Blocks(List.of(l), outputs)));
    List<Lora> packed = loras.stream().filter(l -> !l.place().outputs().isAll()).toList();
    if (!packed.isEmpty()) {
      apart.add(new Blocks(packed, outputs));
    }
    return apart;
  }

  /** The columns of a pair's {@code [.., out]} that go here, of all that its module has. */
  String ofPair(Nodes nodes, String label, int index, Axis values) {
    return cut(nodes, label, loras.get(index).pairOutputs(), values);
  }

  /** The columns of the weight {@code [in, out]} that are a pair's. */
  String ofWeight(Nodes nodes, String label, int index, Axis values) {
    return cut(nodes, label, loras.get(index).place().outputs(), values);
  }

  /**
   * A value and the axis of its outputs.
   *
   * @param value the value
   * @param axis counted from the first, which is 0; of the axes before it nothing changes
   */
  record Axis(String value, int axis) {
    static Axis ofVector(String value) {
      return new Axis(value, 0);
    }

    static Axis ofMatrix(String value) {
      return new Axis(value, 1);
    }
  }

  private static String cut(Nodes nodes, String label, OutputRange range, Axis values) {
    return range.isAll()
        ? values.value()
        : nodes.add(
            label + "/Slice",
            List.of(
                values.value(),
                nodes.integers(label + "/starts", range.from()),
                nodes.integers(label + "/ends", range.from() + range.count()),
                nodes.integers(label + "/axes", values.axis())));
  }

  /** Puts zeros in the place of the outputs beside a pair's. */
  String withZeros(Nodes nodes, String label, int index, Axis values) {
    return isWhole(index)
        ? values.value()
        : nodes.add(label + "/Pad", List.of(values.value(), pads(nodes, label, index, values)));
  }

  /** Puts ones in the place of the outputs beside a pair's. */
  String withOnes(Nodes nodes, String label, int index, Axis values) {
    return isWhole(index)
        ? values.value()
        : nodes.add(
            label + "/Pad",
            List.of(
                values.value(),
                pads(nodes, label, index, values),
                nodes.number(label + "/fill", 1f)));
  }

  private String pads(Nodes nodes, String label, int index, Axis values) {
    long[] pads = new long[2 * (values.axis() + 1)];
    pads[values.axis()] = before(index);
    pads[pads.length - 1] = after(index);
    return nodes.integers(label + "/pads", pads);
  }

  private boolean isWhole(int index) {
    return before(index) == 0 && after(index) == 0;
  }

  /** Outputs that are nobody's count to the pair before them, in front of all to the first. */
  private long before(int index) {
    OutputRange own = loras.get(index).place().outputs();
    return own.isAll() || index > 0 ? 0 : own.from();
  }

  private long after(int index) {
    OutputRange own = loras.get(index).place().outputs();
    long next = index + 1 < loras.size() ? loras.get(index + 1).place().outputs().from() : outputs;
    return own.isAll() ? 0 : next - own.from() - own.count();
  }

  /** Puts the results of all pairs side by side. */
  static String joined(Nodes nodes, List<String> parts, long axis) {
    return parts.size() == 1
        ? parts.getFirst()
        : nodes.add("lora/Concat", parts, Attributes.of("axis", axis));
  }
}

package dev.graft.inject;

import dev.graft.graph.GraphNode;
import dev.graft.match.BoundTarget.Lora;
import dev.graft.match.Layout;
import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The nodes of one pair: {@code s·B(A·x)} for what an operator reads, or {@code s·B·A} itself. */
final class PairNodes {

  /** What a convolution's kernel has to agree on with the one beside it. */
  private static final Set<String> WINDOW =
      Set.of("auto_pad", "dilations", "kernel_shape", "pads", "strides");

  private final Nodes nodes;
  private final PairTensors tensors;
  private final Blocks blocks;
  private final int index;
  private final String step;

  /**
   * Prepares to add nodes.
   *
   * @param nodes takes them, under the pair's module
   * @param tensors the pair's initializers
   * @param place where the pair lies among those of its weight
   * @param name the adapter's name
   */
  PairNodes(Nodes nodes, PairTensors tensors, Place place, AdapterName name) {
    this.nodes = nodes;
    this.tensors = tensors;
    this.blocks = place.blocks();
    this.index = place.index();
    this.step = name.step();
  }

  /** A pair among those of its weight. */
  record Place(Blocks blocks, int index) {}

  /** {@code s·(x·A·B)}, x and the result float32. */
  String rightFactor(String x) {
    String low = nodes.add(label("A", "MatMul"), List.of(x, a()));
    String high = nodes.add(label("B", "MatMul"), List.of(low, b()));
    return scaled(withBias(high, List.of()));
  }

  /** {@code s·(Bᵀ·Aᵀ·x)} with A and B as they lie in the graph. */
  String leftFactor(String x) {
    String low = nodes.add(label("A", "MatMul"), List.of(turned("A", a()), x));
    String high = nodes.add(label("B", "MatMul"), List.of(turned("B", b()), low));
    return scaled(withBias(high, List.of(-1L, 1L)));
  }

  /** {@code s·(A[ids]·B)}. */
  String lookup(String ids) {
    String low = nodes.add(label("embedding_A", "Gather"), List.of(a(), ids));
    return scaled(nodes.add(label("embedding_B", "MatMul"), List.of(low, b())));
  }

  /** {@code s·conv(conv(x, A), B)}, the window that of the operator. */
  String convolution(String x, GraphNode operator) {
    AttributeProto[] window =
        operator.part().proto().getAttributeList().stream()
            .filter(a -> WINDOW.contains(a.getName()))
            .toArray(AttributeProto[]::new);
    String low = nodes.add(label("A", "Conv"), List.of(x, a()), window);
    String high =
        nodes.add(label("B", "Conv"), List.of(low, factor("B", tensors.b(), lora().pair().b())));
    return scaled(withBias(high, points()));
  }

  /** {@code s·B·A} as a matrix in the wanted layout, as wide as the weight where it is packed. */
  String delta(Layout layout) {
    String product = nodes.add("lora" + step + "/MatMul", List.of(a(), b()));
    String turned = layout == Layout.IN_OUT ? product : turned("", product);
    return scaled(turned);
  }

  /** The scale is PEFT's own; it comes after B, as there. */
  private String scaled(String product) {
    return nodes.add("lora" + step + "/Mul", List.of(product, tensors.scale()));
  }

  private String withBias(String product, List<Long> shape) {
    if (tensors.biasOfB().isEmpty()) {
      return product;
    }
    SafetensorsTensor stored = lora().pair().biasOfB().orElseThrow();
    String value = factor("B", tensors.biasOfB().get(), stored);
    String bias = blocks.vector(nodes, label("B", "bias"), index, new Blocks.Filled(value, 0));
    String shaped =
        shape.isEmpty()
            ? bias
            : nodes.add(
                label("B", "Reshape"),
                List.of(
                    bias,
                    nodes.integers(
                        label("B", "shape"), shape.stream().mapToLong(d -> d).toArray())));
    return nodes.add(label("B", "Add"), List.of(product, shaped));
  }

  /** Channels come before the kernel's axes. */
  private List<Long> points() {
    int sides = lora().place().tensor().shape().rank() - 2;
    List<Long> shape = new ArrayList<>(List.of(-1L));
    for (int i = 0; i < sides; i++) {
      shape.add(1L);
    }
    return shape;
  }

  private String a() {
    return factor("A", tensors.a(), lora().pair().a());
  }

  private String b() {
    String b = factor("B", tensors.b(), lora().pair().b());
    return blocks.matrix(nodes, label("B", "block"), index, b);
  }

  /** PEFT computes with float32 whatever the adapter was saved in. */
  private String factor(String which, String name, SafetensorsTensor stored) {
    return nodes.cast(label(which, "factor"), name, stored.dtype(), DType.FLOAT32);
  }

  private String turned(String which, String matrix) {
    return nodes.add(
        which.isEmpty() ? "lora" + step + "/Transpose" : label(which, "Transpose"),
        List.of(matrix),
        Attributes.ofInts("perm", List.of(1L, 0L)));
  }

  private Lora lora() {
    return blocks.loras().get(index);
  }

  private String label(String factor, String last) {
    return "lora_" + factor + step + "/" + last;
  }
}

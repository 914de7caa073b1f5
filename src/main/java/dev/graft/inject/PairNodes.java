package dev.graft.inject;

import dev.graft.adapter.LoraPair;
import dev.graft.graph.GraphNode;
import dev.graft.inject.Blocks.Axis;
import dev.graft.match.BoundTarget.Lora;
import dev.graft.match.Site;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.DType;
import java.util.Arrays;
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
  private final boolean looksUp;
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
    this.looksUp = place.form() == BranchForm.LOOKUP;
    this.step = name.step();
  }

  /** A pair among those of its weight, and how they are put beside the operator. */
  record Place(Blocks blocks, int index, BranchForm form) {}

  /** {@code s·(x·A·B)}, x and the result float32. */
  String rightFactor(String x) {
    String low = nodes.add(label("A", "MatMul"), List.of(x, near()));
    String high = nodes.add(label("B", "MatMul"), List.of(low, far()));
    return scaled(hasBias() ? plus(high, biasOfB()) : high);
  }

  /** {@code s·(Bᵀ·Aᵀ·x)} with A and B as they lie in the graph. */
  String leftFactor(String x) {
    String low =
        nodes.add(label("A", "MatMul"), List.of(nodes.turned(label("A", "turned"), near()), x));
    String turned = nodes.turned(label("B", "turned"), far());
    String high = nodes.add(label("B", "MatMul"), List.of(turned, low));
    return scaled(
        hasBias() ? plus(high, nodes.reshaped(label("B", "bias"), biasOfB(), -1, 1)) : high);
  }

  /** {@code s·(A[ids]·B)}. */
  String lookup(String ids) {
    String low = nodes.add(label("embedding_A", "Gather"), List.of(near(), ids));
    return scaled(nodes.add(label("embedding_B", "MatMul"), List.of(low, far())));
  }

  /** {@code s·conv(conv(x, A), B)}, the window that of the operator. */
  String convolution(String x, GraphNode operator) {
    AttributeProto[] window =
        operator.part().proto().getAttributeList().stream()
            .filter(a -> WINDOW.contains(a.getName()))
            .toArray(AttributeProto[]::new);
    String low = nodes.add(label("A", "Conv"), List.of(x, a()), window);
    String high = nodes.add(label("B", "Conv"), List.of(low, b()));
    if (!hasBias()) {
      return scaled(high);
    }
    long[] shape = channels(lora().operation().shape().rank());
    return scaled(plus(high, nodes.reshaped(label("B", "bias"), biasOfB(), shape)));
  }

  /** The shape of a vector over the channels of a convolution, whose input has a rank. */
  static long[] channels(int rank) {
    long[] shape = new long[rank - 1];
    Arrays.fill(shape, 1);
    shape[0] = -1;
    return shape;
  }

  /** {@code s·A·B}, {@code [in, out]} with the pair's own outputs; a kernel counts as a matrix. */
  String delta() {
    boolean isKernel = lora().operation().kind() == Site.Kind.CONV;
    String a = isKernel ? asMatrix("A", a()) : a();
    String b =
        isKernel
            ? asMatrix("B", b())
            : blocks.ofPair(nodes, label("B", "block"), index, Axis.ofMatrix(b()));
    return scaled(nodes.add("lora" + step + "/MatMul", List.of(a, b)));
  }

  private String asMatrix(String which, String kernel) {
    SafetensorsTensor stored = which.equals("A") ? lora().pair().a() : lora().pair().b();
    // The rank of a slot is known at run time only; 0 keeps what there is.
    boolean isOpen = tensors.isSlot() && which.equals("A");
    long rows = isOpen ? 0 : stored.shape().dim(0);
    String matrix = nodes.reshaped(label(which, "matrix"), kernel, rows, -1);
    return nodes.turned(label(which, "turned"), matrix);
  }

  /** DoRA's m, {@code [out]} with the pair's own outputs; of a slot its factor. */
  String magnitude() {
    String m =
        factor(
            "magnitude_vector",
            tensors.magnitude().orElseThrow(),
            lora().pair().magnitude().orElseThrow());
    return blocks.ofPair(nodes, label("magnitude_vector", "block"), index, Axis.ofVector(m));
  }

  /** Whether the pair's values come in at run time. */
  boolean isSlot() {
    return tensors.isSlot();
  }

  /** The scale is PEFT's own; it comes after B, as there. */
  private String scaled(String product) {
    return tensors
        .scale()
        .map(scale -> nodes.add("lora" + step + "/Mul", List.of(product, scale)))
        .orElse(product);
  }

  private String plus(String product, String bias) {
    return nodes.add(label("B", "Add"), List.of(product, bias));
  }

  /** A table has none, and a head's is added by the head alone. */
  private boolean hasBias() {
    return tensors.biasOfB().isPresent() && !isTurned();
  }

  private String biasOfB() {
    SafetensorsTensor stored = lora().pair().biasOfB().orElseThrow();
    String all = factor("B/bias", tensors.biasOfB().orElseThrow(), stored);
    String label = label("B", "bias");
    Axis own = Axis.ofVector(blocks.ofPair(nodes, label, index, Axis.ofVector(all)));
    return blocks.withZeros(nodes, label, index, own);
  }

  /** The factor next to what the operator multiplies, {@code [in, r]} as the operator counts. */
  private String near() {
    return isTurned() ? nodes.turned(label("B", "near"), b()) : a();
  }

  /** The other factor, {@code [r, out]} as the operator counts, as wide as the weight. */
  private String far() {
    return isTurned() ? nodes.turned(label("A", "far"), a()) : wideB();
  }

  /**
   * Whether the pair is for the other half of a tie, a head's for the table or the other way round:
   * what it counts as inputs are the operator's outputs.
   */
  private boolean isTurned() {
    boolean isTable = lora().pair().kind() == LoraPair.Kind.EMBEDDING;
    return isTable != looksUp;
  }

  private String a() {
    return factor("A", tensors.a(), lora().pair().a());
  }

  private String b() {
    return factor("B", tensors.b(), lora().pair().b());
  }

  /** B with the columns that go here, and zeros for the outputs beside them. */
  private String wideB() {
    String label = label("B", "block");
    Axis own = Axis.ofMatrix(blocks.ofPair(nodes, label, index, Axis.ofMatrix(b())));
    return blocks.withZeros(nodes, label, index, own);
  }

  /** PEFT computes with float32 whatever the adapter was saved in. */
  private String factor(String which, String name, SafetensorsTensor stored) {
    return tensors.isSlot()
        ? name
        : nodes.cast(label(which, "factor"), name, stored.dtype(), DType.FLOAT32);
  }

  private Lora lora() {
    return blocks.loras().get(index);
  }

  private String label(String factor, String last) {
    return "lora_" + factor + step + "/" + last;
  }
}

package dev.graft.inject;

import dev.graft.error.UnsupportedException;
import dev.graft.graph.GraphNode;
import dev.graft.inject.Blocks.Axis;
import dev.graft.match.Layout;
import dev.graft.match.Reading;
import dev.graft.match.Site;
import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The nodes that need an operator's weight itself: DoRA's factor, and branches that are put onto
 * the weight. All of them see it as {@code α·W} in {@code [in, out]} and float32, a kernel as a
 * matrix.
 */
final class WeightNodes {

  private static final String STEP = "lora_magnitude_vector";

  private final Nodes nodes;
  private final SiteWork site;
  private final Opsets opsets;
  private final DType type;
  private @Nullable String upright;

  /**
   * Prepares to add the nodes that bring the weight into that form, once they are needed.
   *
   * @param nodes takes them
   * @param site the operator
   * @param type the type that it computes in
   * @param opsets the operators that there are
   */
  WeightNodes(Nodes nodes, SiteWork site, DType type, Opsets opsets) {
    this.nodes = nodes;
    this.site = site;
    this.opsets = opsets;
    this.type = type;
    requireFloats(site.reading().node());
  }

  private String upright() {
    String known = upright;
    if (known == null) {
      known = upright(strong());
      upright = known;
    }
    return known;
  }

  private String strong() {
    Reading reading = site.reading();
    String stored = reading.node().input(reading.use().input()).orElseThrow();
    String weight = nodes.cast(STEP + "/weight", stored, type, DType.FLOAT32);
    float alpha = site.loras().getFirst().alpha();
    return alpha == 1
        ? weight
        : nodes.add(STEP + "/weight/Mul", List.of(weight, nodes.number(STEP + "/alpha", alpha)));
  }

  /** Only its own operator knows what a packed weight stands for. */
  private static void requireFloats(GraphNode node) {
    if (node.operator().endsWith("MatMulNBits")
        || node.operator().equals("MatMulInteger")
        || node.operator().endsWith("DynamicQuantizeMatMul")) {
      throw new UnsupportedException(
          "%s: DoRA needs the norm of a weight that only this operator can restore, so no branch is known; insert into the float model and quantise the result"
              .formatted(node));
    }
  }

  private String upright(String weight) {
    String label = STEP + "/weight";
    if (site.loras().getFirst().operation().kind() == Site.Kind.CONV) {
      String matrix = nodes.reshaped(label, weight, site.outputs(), -1);
      return nodes.turned(label, matrix);
    }
    return BranchForm.layoutAt(site.reading()) == Layout.IN_OUT
        ? weight
        : nodes.turned(label, weight);
  }

  /** The outputs of the weight that are a pair's. */
  String of(Blocks blocks, int index) {
    return blocks.ofWeight(nodes, STEP + "/weight", index, Axis.ofMatrix(upright()));
  }

  /** {@code α·W + s·A·B} for a pair's outputs. */
  String adapted(Blocks blocks, int index, PairNodes pair) {
    return nodes.add(STEP + "/Add", List.of(of(blocks, index), pair.delta()));
  }

  /** {@code g} for a pair's outputs; a slot brings it ready. */
  String factor(Blocks blocks, int index, PairNodes pair) {
    return pair.isSlot() ? pair.magnitude() : factor(adapted(blocks, index, pair), pair);
  }

  /**
   * {@code g = m / ‖α·W + s·A·B‖}, the norm over the inputs. A gradient takes the norm as a
   * constant, as PEFT does.
   */
  String factor(String adapted, PairNodes pair) {
    AttributeProto flat = Attributes.of("keepdims", 0L);
    String label = STEP + "/ReduceL2";
    String norm =
        opsets.reducesByInput()
            ? nodes.add(label, List.of(adapted, nodes.integers(STEP + "/axes", 0)), flat)
            : nodes.add(label, List.of(adapted), Attributes.ofInts("axes", List.of(0L)), flat);
    nodes.stopGradient();
    return nodes.add(STEP + "/Div", List.of(pair.magnitude(), norm));
  }

  /** The factors of all outputs, 1 for those that no pair is for, shaped like the product. */
  String factors(Blocks blocks, List<String> own) {
    List<String> wide = new ArrayList<>();
    for (int i = 0; i < own.size(); i++) {
      wide.add(blocks.withOnes(nodes, STEP, i, Axis.ofVector(own.get(i))));
    }
    String all = Blocks.joined(nodes, wide, 0);
    return switch (site.form()) {
      case RIGHT_FACTOR, LOOKUP, ON_WEIGHT -> all;
      case LEFT_FACTOR -> nodes.reshaped(STEP, all, -1, 1);
      case CONVOLUTION -> nodes.reshaped(STEP, all, PairNodes.channels(rank()));
    };
  }

  /**
   * {@code (g − 1)·(y − β·c) + g·Δ}: what DoRA adds to a product, whose own bias it leaves alone.
   */
  String change(String product, String factors, String delta) {
    String one = nodes.number(STEP + "/one", 1f);
    String less = nodes.add(STEP + "/Sub", List.of(factors, one));
    String kept = nodes.add(STEP + "/base/Mul", List.of(less, withoutBias(product)));
    String added = nodes.add(STEP + "/lora/Mul", List.of(factors, delta));
    return nodes.add(STEP + "/change/Add", List.of(kept, added));
  }

  private String withoutBias(String product) {
    GraphNode node = site.reading().node();
    boolean hasBias = List.of("Gemm", "Conv").contains(node.operator());
    if (!hasBias || node.input(2).isEmpty()) {
      return product;
    }
    String label = STEP + "/bias";
    String bias =
        nodes.cast(label, node.input(2).get(), ComputeType.of(site.reading()), DType.FLOAT32);
    float beta = node.operator().equals("Gemm") ? node.floatAttribute("beta", 1f) : 1f;
    String strong =
        beta == 1
            ? bias
            : nodes.add(label + "/Mul", List.of(bias, nodes.number(label + "/beta", beta)));
    String shaped =
        site.form() == BranchForm.CONVOLUTION
            ? nodes.reshaped(label, strong, PairNodes.channels(rank()))
            : strong;
    return nodes.add(label + "/Sub", List.of(product, shaped));
  }

  private int rank() {
    return site.loras().getFirst().operation().shape().rank();
  }
}

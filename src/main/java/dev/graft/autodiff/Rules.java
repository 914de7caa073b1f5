package dev.graft.autodiff;

import dev.graft.error.UnsupportedException;
import dev.graft.onnx.proto.NodeProto;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Which rule differentiates which operator. */
final class Rules {

  /** Operators whose outputs do not change, or only in jumps, when their inputs move a little. */
  private static final Set<String> CONSTANT =
      Set.of(
          "And",
          "ArgMax",
          "ArgMin",
          "Ceil",
          "ConstantOfShape",
          "Equal",
          "EyeLike",
          "Floor",
          "Greater",
          "GreaterOrEqual",
          "IsInf",
          "IsNaN",
          "Less",
          "LessOrEqual",
          "NonZero",
          "Not",
          "OneHot",
          "Or",
          "RandomNormalLike",
          "RandomUniformLike",
          "Round",
          "Shape",
          "Sign",
          "Size",
          "Xor");

  /** Operators that hold or make quantised weights. */
  private static final Set<String> QUANTISED =
      Set.of(
          "DequantizeLinear",
          "DynamicQuantizeLinear",
          "MatMulInteger",
          "ConvInteger",
          "QLinearMatMul",
          "QLinearConv",
          "QuantizeLinear",
          "com.microsoft.MatMulNBits",
          "com.microsoft.MatMulBnb4",
          "com.microsoft.QAttention",
          "com.microsoft.QGemm",
          "com.microsoft.DynamicQuantizeMatMul",
          "com.microsoft.MatMulIntegerToFloat",
          "com.microsoft.GatherBlockQuantized");

  private static final Map<String, Rule> RULES = rules();

  private Rules() {}

  private static Map<String, Rule> rules() {
    Map<String, Rule> rules = new HashMap<>();
    for (Pointwise rule : Pointwise.values()) {
      rules.put(rule.operator(), rule);
    }
    for (Movement rule : Movement.values()) {
      rules.put(rule.operator(), rule);
    }
    for (Arithmetic rule : Arithmetic.values()) {
      rules.put(rule.operator(), rule);
    }
    for (Reduction rule : Reduction.values()) {
      rules.put(rule.operator(), rule);
    }
    for (Extreme rule : Extreme.values()) {
      rules.put(rule.operator(), rule);
    }
    rules.put("Pow", new PowRule());
    rules.put("Clip", new ClipRule());
    rules.put("MatMul", new MatMulRule());
    rules.put("com.microsoft.FusedMatMul", new MatMulRule());
    rules.put("Gemm", new GemmRule());
    rules.put("Softmax", new SoftmaxRule());
    rules.put("LogSoftmax", new LogSoftmaxRule());
    rules.put("LayerNormalization", new LayerNormRule());
    rules.put("SimplifiedLayerNormalization", new RmsNormRule());
    rules.put("Gather", new GatherRule());
    rules.put("GatherElements", new GatherElementsRule());
    rules.put("GatherND", new GatherNdRule());
    rules.put("Slice", new SliceRule());
    rules.put("Split", new SplitRule());
    rules.put("Concat", new ConcatRule());
    rules.put("Pad", new PadRule());
    rules.put("Tile", new TileRule());
    rules.put("Where", new WhereRule());
    rules.put("Conv", new ConvRule());
    rules.put("Dropout", new DropoutRule());
    return Map.copyOf(rules);
  }

  /** Whether a node's outputs are constants to the gradient, whatever its inputs are. */
  static boolean isConstant(NodeProto node) {
    return CONSTANT.contains(OpNode.operator(node));
  }

  /**
   * The rule of a node.
   *
   * @throws UnsupportedException if there is none; the message says where the node stands and where
   *     a rule would go
   */
  static Rule of(NodeProto node) {
    String operator = OpNode.operator(node);
    Rule rule = RULES.get(operator);
    if (rule != null) {
      return rule;
    }
    if (QUANTISED.contains(operator)) {
      throw new UnsupportedException(
          ("%s lies between an adapter and the loss, and training through quantised nodes is not"
                  + " there yet; train on the float model that it was made from")
              .formatted(Places.describe(node)));
    }
    if (operator.startsWith("com.microsoft.nchwc.")) {
      throw new UnsupportedException(
          ("%s is in a layout for inference on one kind of processor (NCHWc); train on the model as"
                  + " it was exported, before ONNX Runtime optimised it")
              .formatted(Places.describe(node)));
    }
    if (operator.equals("If")) {
      throw new UnsupportedException(
          ("%s lies between an adapter and the loss, and which branch it takes is known at run time"
                  + " only; give its condition a fixed value (--set NAME=VALUE) or export the model"
                  + " without it")
              .formatted(Places.describe(node)));
    }
    throw new UnsupportedException(
        ("%s lies between an adapter and the loss, but there is no rule for its derivative; a rule"
                + " is a class in src/main/java/dev/graft/autodiff, entered in Rules.java")
            .formatted(Places.describe(node)));
  }
}

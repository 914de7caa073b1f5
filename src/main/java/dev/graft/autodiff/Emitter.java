package dev.graft.autodiff;

import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.AttributeProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.tensor.DType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Adds nodes to a draft, in the spelling of its operator set: what old sets have as an attribute,
 * new ones have as an input. Small constants are shared.
 */
final class Emitter {

  private static final int REDUCE_SUM_AXES_AS_INPUT = 13;
  private static final int REDUCE_AXES_AS_INPUT = 18;
  private static final int PAD_AND_SPLIT_AS_INPUT = 13;

  private final Draft draft;
  private final Inference inference;
  private final Map<String, String> constants = new HashMap<>();
  private String prefix = "gradient";

  Emitter(Draft draft) {
    this.draft = draft;
    this.inference = new Inference(draft);
  }

  Draft draft() {
    return draft;
  }

  /** What the names of the nodes emitted from now on begin with. */
  void begin(String label) {
    prefix = label;
  }

  /** A node of one output. */
  String op(String operator, String... inputs) {
    return op(operator, List.of(inputs));
  }

  /** A node of one output with attributes. */
  String op(String operator, List<String> inputs, AttributeProto... attributes) {
    return ops(operator, inputs, 1, attributes).getFirst();
  }

  /** A node of several outputs. An operator of another domain is written {@code domain.Op}. */
  List<String> ops(
      String operator, List<String> inputs, int outputs, AttributeProto... attributes) {
    int dot = operator.lastIndexOf('.');
    String name = draft.names().fresh(prefix + "/" + operator.substring(dot + 1));
    List<String> results = new ArrayList<>();
    for (int i = 0; i < outputs; i++) {
      results.add(draft.names().fresh(name + "_output_" + i));
    }
    NodeProto.Builder node =
        NodeProto.newBuilder()
            .setName(name)
            .setOpType(operator.substring(dot + 1))
            .addAllInput(inputs)
            .addAllOutput(results)
            .addAllAttribute(Arrays.asList(attributes));
    if (dot > 0) {
      node.setDomain(operator.substring(0, dot));
    }
    add(node.build());
    return results;
  }

  /** A node as it is. */
  void add(NodeProto node) {
    draft.append(node);
    inference.infer(node);
  }

  /** Finds out anew what is known of a node's outputs. */
  void infer(NodeProto node) {
    inference.infer(node);
  }

  /** A value under a name of its own. */
  String named(String value, String wish) {
    String output = draft.names().fresh(wish);
    alias(value, output);
    return output;
  }

  /** Gives a value a further name, which is one of the graph's own. */
  void alias(String value, String output) {
    add(
        NodeProto.newBuilder()
            .setName(draft.names().fresh(output + "/Identity"))
            .setOpType("Identity")
            .addInput(value)
            .addOutput(output)
            .build());
  }

  /** A constant without axes. */
  String scalar(DType type, double value) {
    return constants.computeIfAbsent(
        "%s %s".formatted(type, value),
        key -> {
          String name = draft.names().fresh("gradient/constant/" + value);
          draft.addInitializer(Tensors.scalar(name, type, value));
          return name;
        });
  }

  /** A constant vector of integers. */
  String vector(long... values) {
    return constants.computeIfAbsent(
        Arrays.toString(values),
        key -> {
          String name = draft.names().fresh("gradient/constant/" + key.replace(" ", ""));
          draft.addInitializer(Tensors.vector(name, values));
          return name;
        });
  }

  String mul(String a, String b) {
    return op("Mul", a, b);
  }

  String add(String a, String b) {
    return op("Add", a, b);
  }

  String sub(String a, String b) {
    return op("Sub", a, b);
  }

  /** The sum of one or more tensors of one shape. */
  String total(List<String> terms) {
    return switch (terms.size()) {
      case 1 -> terms.getFirst();
      case 2 -> add(terms.getFirst(), terms.getLast());
      default -> op("Sum", terms);
    };
  }

  /** The sum over axes, which stay with length 1. */
  String sumKept(String value, List<Integer> axes) {
    return reduce("ReduceSum", value, axes, 1);
  }

  /** The sum over axes, which go. */
  String sumDropped(String value, List<Integer> axes) {
    return reduce("ReduceSum", value, axes, 0);
  }

  /** The mean over axes, which stay with length 1. */
  String meanKept(String value, List<Integer> axes) {
    return reduce("ReduceMean", value, axes, 1);
  }

  private String reduce(String operator, String value, List<Integer> axes, long keepdims) {
    AttributeProto keeps = Attributes.of("keepdims", keepdims);
    int since = operator.equals("ReduceSum") ? REDUCE_SUM_AXES_AS_INPUT : REDUCE_AXES_AS_INPUT;
    long[] numbers = axes.stream().mapToLong(Integer::longValue).toArray();
    return draft.opset() >= since
        ? op(operator, List.of(value, vector(numbers)), keeps)
        : op(operator, List.of(value), keeps, ints("axes", numbers));
  }

  String unsqueeze(String value, long... axes) {
    return draft.opset() >= PAD_AND_SPLIT_AS_INPUT
        ? op("Unsqueeze", value, vector(axes))
        : op("Unsqueeze", List.of(value), ints("axes", axes));
  }

  String squeeze(String value, long... axes) {
    return draft.opset() >= PAD_AND_SPLIT_AS_INPUT
        ? op("Squeeze", value, vector(axes))
        : op("Squeeze", List.of(value), ints("axes", axes));
  }

  /** Cuts an axis into parts of these lengths. */
  List<String> split(String value, int axis, long... lengths) {
    AttributeProto along = Attributes.of("axis", (long) axis);
    return draft.opset() >= PAD_AND_SPLIT_AS_INPUT
        ? ops("Split", List.of(value, vector(lengths)), lengths.length, along)
        : ops("Split", List.of(value), lengths.length, along, ints("split", lengths));
  }

  String transpose(String value, List<Integer> permutation) {
    return op("Transpose", List.of(value), Attributes.ofInts("perm", longs(permutation)));
  }

  String concat(int axis, List<String> parts) {
    return op("Concat", parts, Attributes.of("axis", (long) axis));
  }

  /** A tensor in another shape; -1 stands for what is left. */
  String reshape(String value, long... shape) {
    return op("Reshape", copiesAny(shape) ? value : unshaped(value), vector(shape));
  }

  /**
   * What a value was before it was reshaped. Two Reshapes in a row are one; and ONNX Runtime 1.24,
   * which joins them itself, fails to load the graph where the first one's shape is computed.
   */
  String unshaped(String value) {
    return draft
        .producer(value)
        .filter(node -> OpNode.operator(node).equals("Reshape"))
        .map(node -> unshaped(node.getInput(0)))
        .orElse(value);
  }

  private static boolean copiesAny(long... shape) {
    return LongStream.of(shape).anyMatch(length -> length == 0);
  }

  String shapeOf(String value) {
    return op("Shape", value);
  }

  /** The length of an axis, as a vector of one element. */
  String lengthOf(String value, int axis) {
    return op("Gather", shapeOf(value), vector(axis));
  }

  /** The numbers from 0 to below a length that is a vector of one element. */
  String count(String length) {
    String one = op("Expand", integer(1), length);
    return sub(op("CumSum", one, integer(0)), integer(1));
  }

  /** The first rows of a table, as many as a vector of one element says. */
  String head(String table, String length) {
    return op("Slice", table, vector(0), length, vector(0));
  }

  /** A constant integer without axes. */
  String integer(long value) {
    return constants.computeIfAbsent(
        "integer " + value,
        key -> {
          String name = draft.names().fresh("gradient/constant/integer" + value);
          draft.addInitializer(Tensors.integer(name, value));
          return name;
        });
  }

  /** The float type of a value, float32 where nothing says it. */
  DType typeOf(String value) {
    return draft.facts(value).type().filter(Facts::isFloat).orElse(DType.FLOAT32);
  }

  String cast(String value, DType type) {
    return op("Cast", List.of(value), Attributes.of("to", (long) type.onnxCode()));
  }

  static AttributeProto ints(String name, long... values) {
    return Attributes.ofInts(name, LongStream.of(values).boxed().toList());
  }

  static List<Long> longs(List<Integer> values) {
    return values.stream().map(Integer::longValue).toList();
  }
}

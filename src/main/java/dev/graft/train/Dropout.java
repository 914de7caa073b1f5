package dev.graft.train;

import dev.graft.error.UnsupportedException;
import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.runtime.HostTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Dropout of the branches' inputs, {@code B(A(x ∘ mask / (1 - p)))}. Masks are inputs of the graph
 * and functions of (seed, micro-step, module), so whoever recomputes or resumes has the same ones.
 */
final class Dropout {

  private static final String FACTOR = ".lora_A.weight";
  private static final int BITS = 16;

  private final double probability;
  private final Map<String, Trained> factors = new LinkedHashMap<>();

  /**
   * Prepares dropout.
   *
   * @param probability the part of the inputs that is dropped; 0 for none
   * @throws UnsupportedException if it is not 0 and a branch is of a form that no mask is known for
   */
  Dropout(double probability, List<Trained> trained) {
    this.probability = probability;
    if (probability == 0) {
      return;
    }
    for (Trained tensor : trained) {
      String key = tensor.source().name();
      if (key.contains("lora_magnitude_vector")) {
        throw new UnsupportedException(
            "%s: dropout beside DoRA cannot be trained yet; set --lora-dropout 0".formatted(key));
      }
      if (key.endsWith(FACTOR)) {
        factors.put(tensor.parameter().name(), tensor);
      }
    }
  }

  /** The part of the inputs that is dropped. */
  double probability() {
    return probability;
  }

  /** Names of the masks among the graph's inputs. */
  private static String mask(String parameter) {
    return parameter + "/dropout_mask";
  }

  /** Whether an input is a mask. */
  boolean isMask(String input) {
    return factors.keySet().stream().anyMatch(name -> mask(name).equals(input));
  }

  /** Puts the masks into a graph. */
  ModelProto in(ModelProto model) {
    if (factors.isEmpty()) {
      return model;
    }
    GraphProto.Builder graph = model.getGraph().toBuilder().clearNode();
    graph.addInitializer(longs("dropout/start", 0));
    graph.addInitializer(longs("dropout/vector", -1));
    graph.addInitializer(
        TensorProto.newBuilder()
            .setName("dropout/scale")
            .setDataType(DType.FLOAT32.onnxCode())
            .addFloatData((float) (1 / (1 - probability))));
    Map<String, String> casts = new HashMap<>();
    int number = 0;
    Set<String> found = new HashSet<>();
    for (NodeProto node : model.getGraph().getNodeList()) {
      if (node.getOpType().equals("Cast") && factors.containsKey(node.getInput(0))) {
        casts.put(node.getOutput(0), node.getInput(0));
      }
      String factor = node.getInputCount() == 2 ? factor(node.getInput(1), casts) : "";
      if (node.getOpType().equals("MatMul") && !factor.isEmpty()) {
        graph.addAllNode(masked(node, factor, number++));
        found.add(factor);
      } else {
        graph.addNode(node);
      }
    }
    if (found.size() < factors.size()) {
      throw new UnsupportedException(
          "%d of %d branches have a form that dropout is not known for (a convolution, or a weight that an operator hides); set --lora-dropout 0"
              .formatted(factors.size() - found.size(), factors.size()));
    }
    factors.keySet().forEach(name -> graph.addInput(input(mask(name))));
    return model.toBuilder().setGraph(graph).build();
  }

  private String factor(String value, Map<String, String> casts) {
    String name = casts.getOrDefault(value, value);
    return factors.containsKey(name) ? name : "";
  }

  private static List<NodeProto> masked(NodeProto product, String factor, int number) {
    String stem = "dropout/" + number + "/";
    String x = product.getInput(0);
    List<NodeProto> nodes = new ArrayList<>();
    nodes.add(node(stem, "Size", List.of(x), "size").build());
    nodes.add(node(stem, "Reshape", List.of(stem + "size", "dropout/vector"), "end").build());
    nodes.add(
        node(stem, "Slice", List.of(mask(factor), "dropout/start", stem + "end"), "cut").build());
    nodes.add(node(stem, "Shape", List.of(x), "shape").build());
    nodes.add(node(stem, "Reshape", List.of(stem + "cut", stem + "shape"), "bits").build());
    nodes.add(
        node(stem, "Cast", List.of(stem + "bits"), "mask")
            .addAttribute(Attributes.of("to", (long) DType.FLOAT32.onnxCode()))
            .build());
    nodes.add(node(stem, "Mul", List.of(x, stem + "mask"), "kept").build());
    nodes.add(product.toBuilder().setInput(0, stem + "kept").setOutput(0, stem + "low").build());
    nodes.add(
        node(stem, "Mul", List.of(stem + "low", "dropout/scale"), "scaled")
            .setOutput(0, product.getOutput(0))
            .build());
    return nodes;
  }

  private static NodeProto.Builder node(
      String stem, String operator, List<String> inputs, String output) {
    return NodeProto.newBuilder()
        .setName(stem + operator + "_" + output)
        .setOpType(operator)
        .addAllInput(inputs)
        .addOutput(stem + output);
  }

  private static TensorProto longs(String name, long value) {
    return TensorProto.newBuilder()
        .setName(name)
        .setDataType(DType.INT64.onnxCode())
        .addDims(1)
        .addInt64Data(value)
        .build();
  }

  private static ValueInfoProto input(String name) {
    ValueInfoProto.Builder value = ValueInfoProto.newBuilder().setName(name);
    TypeProto.Tensor.Builder type = value.getTypeBuilder().getTensorTypeBuilder();
    type.setElemType(DType.UINT8.onnxCode()).getShapeBuilder().addDimBuilder().setDimParam(name);
    return value.build();
  }

  /**
   * The masks of a micro-step: 1 keeps an element, 0 drops it.
   *
   * @param key the seed and the micro-step
   * @param tokens how many tokens the batch has at most
   */
  Map<String, HostTensor> masks(Key key, long tokens, Arena arena) {
    Map<String, HostTensor> masks = new LinkedHashMap<>();
    int module = 0;
    for (Trained factor : factors.values()) {
      long elements = tokens * factor.source().shape().dim(1);
      HostTensor mask = HostTensor.allocate(DType.UINT8, Shape.of(elements), arena);
      fill(mask, new Counter(key.seed(), key.microStep(), module++));
      masks.put(mask(factor.parameter().name()), mask);
    }
    return masks;
  }

  /**
   * What the masks of a micro-step depend on, beside the module.
   *
   * @param seed the run's
   * @param microStep batches since the beginning of the run
   */
  record Key(long seed, long microStep) {}

  private void fill(HostTensor mask, Counter random) {
    long elements = mask.shape().elements();
    long threshold = Math.round(probability * (1 << BITS));
    int each = Long.SIZE / BITS;
    for (long block = 0; block * each < elements; block++) {
      long bits = random.at(block);
      for (int i = 0; i < each && block * each + i < elements; i++) {
        long chunk = (bits >>> (i * BITS)) & ((1 << BITS) - 1);
        byte keep = (byte) (chunk >= threshold ? 1 : 0);
        mask.data().set(ValueLayout.JAVA_BYTE, block * each + i, keep);
      }
    }
  }
}

package dev.graft.train;

import dev.graft.error.UnsupportedException;
import dev.graft.onnx.Attributes;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.tensor.DType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * A forward graph that ends in a loss.
 *
 * @param model the graph; its only output is the loss
 * @param names what its values are called
 * @param kind which loss it is
 * @param classes how many classes or outputs the logits have
 */
record LossGraph(ModelProto model, Names names, LossKind kind, long classes) {

  /** The output of a model that losses are made of. */
  private static final String LOGITS = "logits";

  /**
   * What the values of a loss are called in the graph.
   *
   * @param loss the output
   * @param labels what the logits are held against
   * @param rows places of the labelled rows; empty if every row has a label
   * @param scale the loss's factor
   */
  record Names(String loss, String labels, String rows, String scale) {}

  /**
   * What the loss is made of.
   *
   * @param task what the logits are
   * @param kind the loss
   * @param smoothing the part of each label that goes to all classes alike
   */
  record Wanted(Task task, LossKind kind, double smoothing) {}

  /**
   * Adds a loss to a model.
   *
   * @throws UnsupportedException if the model gives no logits that it could be made of
   */
  static LossGraph of(ModelProto model, Wanted wanted) {
    GraphDraft graph = new GraphDraft(InputMaker.withEmptyPast(model));
    ValueInfoProto logits = logits(graph);
    requireRank(logits, wanted.task());
    Names names =
        new Names(
            graph.fresh("loss"),
            graph.fresh("labels"),
            wanted.kind() == LossKind.CROSS_ENTROPY ? graph.fresh("label_rows") : "",
            graph.fresh("loss_scale"));
    String rows = names.rows().isEmpty() ? logits.getName() : rows(graph, logits, wanted, names);
    String wide = floats(graph, rows, logits);
    Template template = template(wanted, classes(logits));
    Map<String, String> given = new HashMap<>();
    given.put(LOGITS, wide);
    given.put("labels", names.labels());
    given.put("loss_scale", names.scale());
    given.put("loss", names.loss());
    for (ValueInfoProto input : template.graph().getInputList()) {
      if (!input.getName().equals(LOGITS)) {
        graph.addInput(input.toBuilder().setName(given.get(input.getName())).build());
      }
    }
    template.addTo(graph, given);
    ValueInfoProto output = template.graph().getOutput(0).toBuilder().setName(names.loss()).build();
    return new LossGraph(graph.cutTo(output), names, wanted.kind(), classes(model));
  }

  private static Template template(Wanted wanted, long classes) {
    if (wanted.smoothing() == 0) {
      return wanted.kind().template();
    }
    if (wanted.kind() != LossKind.CROSS_ENTROPY || classes < 1) {
      throw new UnsupportedException(
          "labels can be smoothed only where each is one of a number of classes that the model declares");
    }
    return Template.read("cross-entropy-smoothed")
        .with("on_label", (float) (1 - wanted.smoothing()))
        .with("on_each_class", (float) (wanted.smoothing() / classes));
  }

  private static String rows(GraphDraft graph, ValueInfoProto logits, Wanted wanted, Names names) {
    graph.addInput(vector(names.rows(), DType.INT64));
    if (wanted.task() != Task.SEQ_CLS) {
      long classes = classes(logits);
      OptionalLong declared = classes < 0 ? OptionalLong.empty() : OptionalLong.of(classes);
      return new LabelledRows(graph, names.rows()).of(logits.getName(), declared);
    }
    String rows = graph.fresh("loss/labelled_rows");
    graph.add(
        NodeProto.newBuilder()
            .setName(graph.fresh("loss/Gather"))
            .setOpType("Gather")
            .addInput(logits.getName())
            .addInput(names.rows())
            .addOutput(rows)
            .build());
    return rows;
  }

  private static ValueInfoProto vector(String name, DType dtype) {
    ValueInfoProto.Builder value = ValueInfoProto.newBuilder().setName(name);
    TypeProto.Tensor.Builder type = value.getTypeBuilder().getTensorTypeBuilder();
    type.setElemType(dtype.onnxCode()).getShapeBuilder().addDimBuilder().setDimParam("labelled");
    return value.build();
  }

  /** Losses are computed in float32 whatever the model computes in. */
  private static String floats(GraphDraft graph, String rows, ValueInfoProto logits) {
    if (logits.getType().getTensorType().getElemType() == DType.FLOAT32.onnxCode()) {
      return rows;
    }
    String wide = graph.fresh("loss/logits");
    NodeProto.Builder cast =
        NodeProto.newBuilder()
            .setName(graph.fresh("loss/Cast"))
            .setOpType("Cast")
            .addInput(rows)
            .addOutput(wide);
    graph.add(cast.addAttribute(Attributes.of("to", (long) DType.FLOAT32.onnxCode())).build());
    return wide;
  }

  private static ValueInfoProto logits(GraphDraft graph) {
    return graph.outputs().stream()
        .filter(output -> output.getName().equals(LOGITS))
        .findFirst()
        .orElseThrow(() ->
            new UnsupportedException(
                "the model has no output 'logits' but %s; export it with its head, a model without one cannot be trained yet"
                    .formatted(
                        graph.outputs().stream().map(ValueInfoProto::getName).limit(8).toList())));
  }

  private static void requireRank(ValueInfoProto logits, Task task) {
    TypeProto.Tensor type = logits.getType().getTensorType();
    int rank = task == Task.SEQ_CLS ? 2 : 3;
    if (type.hasShape() && type.getShape().getDimCount() != rank) {
      throw new UnsupportedException(
          "output 'logits' has %d axes, but the task %s needs %d"
              .formatted(type.getShape().getDimCount(), task.option(), rank));
    }
  }

  /**
   * How many classes or outputs a model's logits have.
   *
   * @throws UnsupportedException if it has no logits or does not say
   */
  static long classes(ModelProto model) {
    long classes = classes(logits(new GraphDraft(model)));
    if (classes < 1) {
      throw new UnsupportedException(
          "output 'logits': the model does not declare the length of its last axis, so labels cannot be checked against it");
    }
    return classes;
  }

  private static long classes(ValueInfoProto logits) {
    TypeProto.Tensor type = logits.getType().getTensorType();
    int rank = type.getShape().getDimCount();
    return rank > 0 && type.getShape().getDim(rank - 1).hasDimValue()
        ? type.getShape().getDim(rank - 1).getDimValue()
        : -1;
  }

  /** The inputs that must be fed, those of the loss included. */
  List<ValueInfoProto> inputs() {
    return new GraphDraft(model).inputs();
  }

  /** Names that are the loss's own. */
  List<String> lossInputs() {
    return List.of(names.labels(), names.rows(), names.scale());
  }
}

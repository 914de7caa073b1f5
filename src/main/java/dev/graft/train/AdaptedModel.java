package dev.graft.train;

import dev.graft.adapter.LoraPair;
import dev.graft.adapter.Replacement;
import dev.graft.error.UnsupportedException;
import dev.graft.inject.Injection;
import dev.graft.inject.Trainable;
import dev.graft.match.BoundTarget;
import dev.graft.onnx.Attributes;
import dev.graft.onnx.GraphEdit;
import dev.graft.onnx.GraphEdit.AddInitializer;
import dev.graft.onnx.LiteralContent;
import dev.graft.onnx.NewTensor;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.NodeProto;
import dev.graft.onnx.proto.TensorProto;
import dev.graft.tensor.DType;
import dev.graft.train.Trained.Group;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A base with an adapter's branches in memory, ready to be trained: frozen weights are places in
 * the base's files, what is trained is a float32 initializer without values. Where the graph reads
 * it in half precision, or holds it several times, nodes in front give it that.
 *
 * @param model the graph
 * @param trained what is trained, in the order of the adapter's branches
 */
record AdaptedModel(ModelProto model, List<Trained> trained) {

  AdaptedModel {
    trained = List.copyOf(trained);
  }

  /**
   * Makes the model.
   *
   * @throws UnsupportedException if a tensor of the adapter has no place in the graph where it
   *     could be trained
   */
  static AdaptedModel of(Injection injection) {
    return new Maker(injection).make();
  }

  /** Makes one model. */
  private static final class Maker {
    private final Injection injection;
    private final GraphProto.Builder graph;
    private final ModelProto mapped;
    private final Map<String, Group> groups = new HashMap<>();
    private final SequencedMap<String, Trained> byKey = new LinkedHashMap<>();
    private final Map<String, Trainable> byName = new HashMap<>();
    private final List<NodeProto> front = new ArrayList<>();

    Maker(Injection injection) {
      this.injection = injection;
      this.mapped = MappedWeights.in(injection.graph().model(), injection.skeleton());
      this.graph = mapped.getGraph().toBuilder();
      injection.binding().bound().forEach(this::group);
      injection.trainables().forEach(tensor -> byName.put(tensor.name(), tensor));
    }

    private void group(BoundTarget target) {
      switch (target) {
        case BoundTarget.Lora lora -> biasOfB(lora.pair());
        case BoundTarget.Shift shift -> biasOfB(shift.pair());
        case BoundTarget.Whole whole ->
            groups.put(
                whole.replacement().value().name(),
                whole.replacement().origin() == Replacement.Origin.BIAS
                    ? Group.BIAS
                    : Group.SAVED_MODULE);
        case BoundTarget.Rows rows ->
            throw new UnsupportedException(
                "%s: rows of a token table (trainable_token_indices) cannot be trained yet"
                    .formatted(rows.label()));
        case BoundTarget.Experts _ -> {
          // The injection has refused it.
        }
      }
    }

    private void biasOfB(LoraPair pair) {
      pair.biasOfB().ifPresent(bias -> groups.put(bias.name(), Group.BRANCH_BIAS));
    }

    AdaptedModel make() {
      Map<String, NewTensor> added = new HashMap<>();
      for (GraphEdit edit : injection.edits()) {
        if (edit instanceof AddInitializer(NewTensor tensor, _)) {
          added.put(tensor.name(), tensor);
        }
      }
      GraphProto initializers = graph.build();
      graph.clearInitializer();
      for (TensorProto tensor : initializers.getInitializerList()) {
        Trainable trainable = byName.get(tensor.getName());
        NewTensor literal = added.get(tensor.getName());
        if (trainable != null) {
          train(trainable, tensor);
        } else if (literal != null) {
          graph.addInitializer(tensor.toBuilder().setRawData(literal(literal).bytes()));
        } else {
          graph.addInitializer(tensor);
        }
      }
      List<NodeProto> nodes = graph.getNodeList();
      graph.clearNode().addAllNode(front).addAllNode(nodes);
      return new AdaptedModel(
          mapped.toBuilder().setGraph(graph).build(), List.copyOf(byKey.values()));
    }

    private void train(Trainable trainable, TensorProto stored) {
      if (!trainable.share().ofInitializer().isAll() || !trainable.share().ofSource().isAll()) {
        throw new UnsupportedException(
            "%s: the graph packs it with others in '%s', or splits it; such a parameter cannot be trained yet"
                .formatted(trainable.key(), trainable.name()));
      }
      Trained first = byKey.get(trainable.key());
      boolean isWhole = groups.containsKey(trainable.key());
      // The factors of branches are brought to float32 by nodes of the branch itself.
      boolean isHalf = isWhole && stored.getDataType() != DType.FLOAT32.onnxCode();
      if (first == null) {
        String name = isHalf ? trainable.name() + "/trained" : trainable.name();
        Group group = groups.getOrDefault(trainable.key(), Group.BRANCH);
        first =
            Trained.of(
                new Trained.Place(name, trainable.shape()),
                trainable.source(),
                trainable.turn(),
                group);
        byKey.put(trainable.key(), first);
        graph.addInitializer(withoutValues(stored, name));
      } else if (first.turn() != trainable.turn()
          || !first.parameter().shape().equals(trainable.shape())) {
        throw new UnsupportedException(
            "%s: the graph holds it several times in different forms; such a parameter cannot be trained yet"
                .formatted(trainable.key()));
      }
      String name = first.parameter().name();
      if (isHalf) {
        front.add(
            node("Cast", name, trainable.name())
                .addAttribute(Attributes.of("to", (long) stored.getDataType()))
                .build());
      } else if (!name.equals(trainable.name())) {
        front.add(node("Identity", name, trainable.name()).build());
      }
    }

    private static NodeProto.Builder node(String operator, String from, String to) {
      return NodeProto.newBuilder()
          .setOpType(operator)
          .setName(to + "/" + operator)
          .addInput(from)
          .addOutput(to);
    }

    private static LiteralContent literal(NewTensor tensor) {
      if (tensor.content() instanceof LiteralContent content) {
        return content;
      }
      throw new UnsupportedException(
          "'%s': is a weight that the graph gets with the adapter but that is not the adapter's; it cannot be trained beside yet"
              .formatted(tensor.name()));
    }

    private static TensorProto withoutValues(TensorProto stored, String name) {
      return TensorProto.newBuilder()
          .setName(name)
          .addAllDims(stored.getDimsList())
          .setDataType(DType.FLOAT32.onnxCode())
          .build();
    }
  }
}

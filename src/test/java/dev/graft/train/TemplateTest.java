package dev.graft.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.autodiff.Objective.Activations;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.ParameterCheckpoint;
import dev.graft.runtime.TrainingArtifacts;
import dev.graft.runtime.TrainingSession;
import dev.graft.runtime.TrainingSettings;
import dev.graft.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;

/** Runs each loss with its logits as what is trained, and holds value and gradient to formulas. */
final class TemplateTest {

  private static final float[] LOGITS = {0.5f, -1, 2, 30, -30, 0.25f};
  private static final double SCALE = 0.5;
  private static final int ROWS = 2;
  private static final int CLASSES = 3;

  private double loss;
  private float[] gradient = new float[0];

  private void run(Template template, HostTensor labels) {
    Shape shape = Shape.of(ROWS, CLASSES);
    GraphProto.Builder graph = template.graph().toBuilder();
    for (ValueInfoProto.Builder input : graph.getInputBuilderList()) {
      if (input.getName().equals("logits")) {
        TypeProto.Tensor.Builder type = input.getTypeBuilder().getTensorTypeBuilder();
        type.setElemType(1).getShapeBuilder().addDimBuilder().setDimValue(ROWS);
        type.getShapeBuilder().addDimBuilder().setDimValue(CLASSES);
      }
    }
    ModelProto model = template.model().toBuilder().setGraph(graph).build();
    LossGraph.Names names = new LossGraph.Names("loss", "labels", "", "loss_scale");
    LossGraph asLoss = new LossGraph(model, names, LossKind.CROSS_ENTROPY, CLASSES);
    Parameter logits = new Parameter("logits", shape, LOGITS);
    TrainingGraph training =
        TrainingGraph.of(
            asLoss,
            List.of(logits),
            new TrainingGraph.Form(TrainingGraph.Totals.GIVEN, Activations.KEPT));
    TrainingArtifacts artifacts =
        new TrainingArtifacts(
            MemorySegment.ofArray(training.model().toByteArray()),
            Optional.empty(),
            Optional.empty(),
            ParameterCheckpoint.bytes(Map.of("logits", HostTensor.ofFloats(shape, LOGITS))));
    try (TrainingSession session =
        TrainingSession.of("loss", artifacts, TrainingSettings.defaults())) {
      SequencedMap<String, HostTensor> outputs =
          session.step(Map.of("labels", labels, "loss_scale", Labels.scale(SCALE)));
      loss = outputs.firstEntry().getValue().toDoubles()[0];
      gradient = Objects.requireNonNull(outputs.get("logits.gradient")).toFloats();
    }
  }

  private static double softmax(int row, int c) {
    double sum = 0;
    for (int i = 0; i < CLASSES; i++) {
      sum += Math.exp(LOGITS[row * CLASSES + i]);
    }
    return Math.exp(LOGITS[row * CLASSES + c]) / sum;
  }

  private void requireGradient(int index, double expected) {
    assertThat((double) gradient[index]).isCloseTo(expected, within(1e-6));
  }

  @Test
  void computesCrossEntropy() {
    run(LossKind.CROSS_ENTROPY.template(), HostTensor.ofLongs(Shape.of(ROWS), 2, 0));
    assertThat(loss)
        .isCloseTo(-SCALE * (Math.log(softmax(0, 2)) + Math.log(softmax(1, 0))), within(1e-6));
    for (int i = 0; i < LOGITS.length; i++) {
      int row = i / CLASSES;
      int label = row == 0 ? 2 : 0;
      requireGradient(i, SCALE * (softmax(row, i % CLASSES) - (i % CLASSES == label ? 1 : 0)));
    }
  }

  @Test
  void smoothsLabelsOverAllClasses() {
    double e = 0.1;
    Template template =
        Template.read("cross-entropy-smoothed")
            .with("on_label", (float) (1 - e))
            .with("on_each_class", (float) (e / CLASSES));
    run(template, HostTensor.ofLongs(Shape.of(ROWS), 2, 0));
    double expected = 0;
    for (int i = 0; i < LOGITS.length; i++) {
      int row = i / CLASSES;
      boolean isLabel = i % CLASSES == (row == 0 ? 2 : 0);
      double weight = e / CLASSES + (isLabel ? 1 - e : 0);
      expected -= SCALE * weight * Math.log(softmax(row, i % CLASSES));
      requireGradient(i, SCALE * (softmax(row, i % CLASSES) - weight));
    }
    assertThat(loss).isCloseTo(expected, within(1e-5));
  }

  @Test
  void computesBinaryCrossEntropyWithoutOverflow() {
    float[] targets = {1, 0, 1, 0, 1, 0.5f};
    float[] pairs = new float[2 * targets.length];
    for (int i = 0; i < targets.length; i++) {
      pairs[2 * i] = targets[i];
      pairs[2 * i + 1] = 1 - targets[i];
    }
    run(
        LossKind.BINARY_CROSS_ENTROPY.template(),
        HostTensor.ofFloats(Shape.of(targets.length, 2), pairs));
    double expected = 0;
    for (int i = 0; i < targets.length; i++) {
      double x = LOGITS[i];
      expected += SCALE * (Math.max(x, 0) - x * targets[i] + Math.log1p(Math.exp(-Math.abs(x))));
      requireGradient(i, SCALE * (1 / (1 + Math.exp(-x)) - targets[i]));
    }
    assertThat(loss).isCloseTo(expected, within(1e-5));
  }

  @Test
  void computesSquaredErrors() {
    float[] targets = {1, 0, 1, 31, -29, 0.5f};
    run(
        LossKind.MEAN_SQUARED_ERROR.template(),
        HostTensor.ofFloats(Shape.of(ROWS, CLASSES), targets));
    double expected = 0;
    for (int i = 0; i < targets.length; i++) {
      expected += SCALE * Math.pow(LOGITS[i] - targets[i], 2);
      requireGradient(i, SCALE * 2 * (LOGITS[i] - targets[i]));
    }
    assertThat(loss).isCloseTo(expected, within(1e-5));
  }
}

package dev.graft.train;

import dev.graft.error.FormatException;
import dev.graft.runtime.HostTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import dev.graft.train.TrainingOptions.Loss;
import dev.graft.train.TrainingOptions.Problem;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes what the logits are held against, and counts it. ONNX Runtime checks none of it. */
final class Labels {

  private final Task task;
  private final LossKind kind;
  private final long classes;
  private final Path file;

  /**
   * Prepares to make labels.
   *
   * @param classes how many classes or outputs the logits have
   * @param file where rows are from, for messages
   */
  Labels(Task task, LossKind kind, long classes, Path file) {
    this.task = task;
    this.kind = kind;
    this.classes = classes;
    this.file = file;
  }

  /**
   * The loss of a task.
   *
   * @param classes how many classes or outputs the logits have
   * @param ofSeveral what a row's labels are where there are several classes and nobody says
   */
  static LossKind kind(Loss wanted, long classes, Problem ofSeveral) {
    if (wanted.task() != Task.SEQ_CLS) {
      return LossKind.CROSS_ENTROPY;
    }
    Problem guessed = classes == 1 ? Problem.REGRESSION : ofSeveral;
    return switch (wanted.problem().orElse(guessed)) {
      case SINGLE_LABEL_CLASSIFICATION -> LossKind.CROSS_ENTROPY;
      case MULTI_LABEL_CLASSIFICATION -> LossKind.BINARY_CROSS_ENTROPY;
      case REGRESSION -> LossKind.MEAN_SQUARED_ERROR;
    };
  }

  /**
   * The labels of a batch.
   *
   * @param feeds the loss's inputs but for its scale
   * @param count how many labels there are
   */
  record OfBatch(Map<String, HostTensor> feeds, long count) {}

  /** What the labels of a row of several classes are, by a row that all others are like. */
  static Problem problem(Row like) {
    return like.label() instanceof RowLabel.Category
        ? Problem.SINGLE_LABEL_CLASSIFICATION
        : Problem.MULTI_LABEL_CLASSIFICATION;
  }

  /**
   * How many labels a row has.
   *
   * @throws FormatException if one of them is none that the loss could take
   */
  long count(Row row) {
    return kind == LossKind.CROSS_ENTROPY ? places(row, 0).size() : values(row).length;
  }

  /**
   * Makes the labels of a batch.
   *
   * @param names what the loss's inputs are called
   * @throws FormatException if a label is none of the classes
   */
  OfBatch of(List<Row> rows, LossGraph.Names names) {
    return kind == LossKind.CROSS_ENTROPY ? categories(rows, names) : numbers(rows, names);
  }

  private record Place(long row, long label) {}

  private OfBatch categories(List<Row> rows, LossGraph.Names names) {
    int length = task == Task.SEQ_CLS ? 1 : InputMaker.length(rows);
    List<Place> places = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      places.addAll(places(rows.get(i), (long) i * length));
    }
    Shape shape = Shape.of(places.size());
    Map<String, HostTensor> feeds = new LinkedHashMap<>();
    feeds.put(
        names.labels(),
        HostTensor.ofLongs(shape, places.stream().mapToLong(Place::label).toArray()));
    feeds.put(
        names.rows(), HostTensor.ofLongs(shape, places.stream().mapToLong(Place::row).toArray()));
    return new OfBatch(feeds, places.size());
  }

  private List<Place> places(Row row, long first) {
    List<Place> places = new ArrayList<>();
    long[] labels =
        switch (row.label()) {
          case RowLabel.Tokens(long[] ids) -> ids;
          case RowLabel.Category(long id) -> new long[] {id};
          case RowLabel.Values _ -> throw wrongKind(row, "a class");
        };
    int shift = task == Task.CAUSAL_LM ? 1 : 0;
    for (int i = shift; i < labels.length; i++) {
      if (labels[i] != RowLabel.IGNORED) {
        requireClass(row, i, labels[i]);
        places.add(new Place(first + i - shift, labels[i]));
      }
    }
    return places;
  }

  private void requireClass(Row row, int index, long label) {
    if (label < 0 || label >= classes) {
      throw new FormatException(
          "%s line %d: label %d at place %d is none of the model's %d classes, 0 to %d, nor -100, which is passed over"
              .formatted(file, row.line(), label, index, classes, classes - 1));
    }
  }

  private OfBatch numbers(List<Row> rows, LossGraph.Names names) {
    boolean pairs = kind == LossKind.BINARY_CROSS_ENTROPY;
    int width = Math.toIntExact(classes);
    float[] values = new float[rows.size() * width * (pairs ? 2 : 1)];
    int at = 0;
    for (Row row : rows) {
      for (float value : values(row)) {
        values[at++] = value;
        if (pairs) {
          values[at++] = 1 - value;
        }
      }
    }
    Shape shape = pairs ? Shape.of((long) rows.size() * width, 2) : Shape.of(rows.size(), width);
    return new OfBatch(
        Map.of(names.labels(), HostTensor.ofFloats(shape, values)), (long) rows.size() * width);
  }

  private float[] values(Row row) {
    float[] values =
        switch (row.label()) {
          case RowLabel.Values(float[] given) -> given;
          case RowLabel.Category(long id) when kind == LossKind.MEAN_SQUARED_ERROR ->
              new float[] {id};
          case RowLabel.Category _, RowLabel.Tokens _ ->
              throw wrongKind(row, "a list of %d numbers".formatted(classes));
        };
    if (values.length != classes) {
      throw new FormatException(
          "%s line %d: has %d labels, but the model has %d outputs"
              .formatted(file, row.line(), values.length, classes));
    }
    if (kind == LossKind.BINARY_CROSS_ENTROPY) {
      requireProbabilities(row, values);
    }
    return values;
  }

  private void requireProbabilities(Row row, float[] values) {
    for (float value : values) {
      if (value < 0 || value > 1) {
        throw new FormatException(
            "%s line %d: label %s is not between 0 and 1, as each of several labels has to be"
                .formatted(file, row.line(), value));
      }
    }
  }

  private FormatException wrongKind(Row row, String expected) {
    return new FormatException(
        "%s line %d: its label is of another kind than that of the first row; expected %s"
            .formatted(file, row.line(), expected));
  }

  /** The type of the loss's scale. */
  static HostTensor scale(double scale) {
    return HostTensor.ofDoubles(DType.FLOAT32, Shape.of(), scale);
  }
}

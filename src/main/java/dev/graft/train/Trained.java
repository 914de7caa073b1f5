package dev.graft.train;

import dev.graft.match.Turn;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.Shape;

/**
 * One of the adapter's tensors in the graph.
 *
 * @param parameter what is trained
 * @param source the tensor of the adapter that it began as; its name is PEFT's key
 * @param turn whether a matrix lies in the graph as PEFT saves it or the other way round
 * @param group what it is to the optimizer
 */
record Trained(Parameter parameter, SafetensorsTensor source, Turn turn, Group group) {

  private static final String MAGNITUDE = ".lora_magnitude_vector";

  /** What a tensor is, for weight decay and for PEFT's name of its gradient. */
  enum Group {
    /** A factor, a magnitude or another tensor of a branch. */
    BRANCH,
    /** The bias of B. */
    BRANCH_BIAS,
    /** A parameter of a module that is trained whole. */
    SAVED_MODULE,
    /** A bias of the base. */
    BIAS
  }

  /** Reads the starting values. */
  static Trained of(Place place, SafetensorsTensor source, Turn turn, Group group) {
    float[] saved = SafetensorsData.readFloats(source);
    float[] values = turn == Turn.TRANSPOSED ? transposed(saved, matrix(source.shape())) : saved;
    return new Trained(new Parameter(place.name(), place.shape(), values), source, turn, group);
  }

  /**
   * Where a tensor is in the graph.
   *
   * @param name its name
   * @param shape its dimensions
   */
  record Place(String name, Shape shape) {}

  /** Values that are laid out as the parameter's, the way PEFT saves them. */
  float[] asSaved(float[] values) {
    return turn == Turn.TRANSPOSED
        ? transposed(values, matrix(source.shape()).transposed())
        : values;
  }

  /** Values that are laid out as PEFT saves them, the way the graph holds them. */
  float[] asInGraph(float[] values) {
    return turn == Turn.TRANSPOSED ? transposed(values, matrix(source.shape())) : values;
  }

  /** PEFT's name of the tensor while it is trained, which is that of its gradient. */
  String trainingName() {
    String key = source.name();
    if (key.endsWith(MAGNITUDE)) {
      return key + ".weight";
    }
    int dot = key.lastIndexOf('.');
    return group == Group.SAVED_MODULE && dot > 0
        ? key.substring(0, dot) + ".modules_to_save" + key.substring(dot)
        : key;
  }

  private static Shape matrix(Shape shape) {
    return Shape.of(shape.dim(0), shape.elements() / Math.max(1, shape.dim(0)));
  }

  private static float[] transposed(float[] values, Shape shape) {
    int rows = Math.toIntExact(shape.dim(0));
    int columns = Math.toIntExact(shape.dim(1));
    float[] turned = new float[values.length];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        turned[column * rows + row] = values[row * columns + column];
      }
    }
    return turned;
  }
}

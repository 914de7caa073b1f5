package dev.graft.train;

import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import dev.graft.onnx.proto.GraphProto;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.TensorShapeProto;
import dev.graft.onnx.proto.TensorShapeProto.Dimension;
import dev.graft.onnx.proto.TypeProto;
import dev.graft.onnx.proto.ValueInfoProto;
import dev.graft.runtime.HostTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a model's inputs of rows: padded to the longest row of the batch, and what rows do not have
 * made up as a model expects it at the beginning of a text.
 */
final class InputMaker {

  private final Map<String, Input> inputs = new LinkedHashMap<>();

  /**
   * One input of the model.
   *
   * @param dtype its type
   * @param dims its dimensions, as declared
   * @param maker where its values are from
   */
  private record Input(DType dtype, List<Dimension> dims, Maker maker) {}

  /** Where the values of an input are from. */
  private interface Maker {
    HostTensor make(Input input, List<Row> rows, int length);
  }

  /**
   * Prepares to make inputs.
   *
   * @param declared what the model must be fed
   * @param given numbers that fill inputs of other names
   * @throws UnsupportedException if nothing is known for an input
   * @throws UsageException if a number is given for no input
   */
  InputMaker(List<ValueInfoProto> declared, Map<String, Double> given) {
    for (ValueInfoProto value : declared) {
      TypeProto.Tensor type = value.getType().getTensorType();
      DType dtype = DType.ofOnnx(type.getElemType()).orElseThrow(() -> unknown(value.getName()));
      Double number = given.get(value.getName());
      Maker maker = number == null ? maker(value.getName()) : filled(number);
      inputs.put(value.getName(), new Input(dtype, type.getShape().getDimList(), maker));
    }
    List<String> unused = given.keySet().stream().filter(n -> !inputs.containsKey(n)).toList();
    if (!unused.isEmpty()) {
      throw new UsageException(
          "--set gives %s, but the loss needs the inputs %s only"
              .formatted(unused, inputs.keySet()));
    }
  }

  private static Maker maker(String name) {
    return switch (name) {
      case "input_ids" -> (in, rows, length) -> tokens(in, rows, length, Row::inputIds);
      case "attention_mask" -> (in, rows, length) -> tokens(in, rows, length, Row::attentionMask);
      case "token_type_ids" ->
          (in, rows, length) ->
              tokens(
                  in,
                  rows,
                  length,
                  row -> row.tokenTypeIds().orElseGet(() -> new long[row.length()]));
      case "position_ids" -> (in, rows, length) -> tokens(in, rows, length, InputMaker::positions);
      case "use_cache_branch" ->
          (in, rows, length) -> HostTensor.ofIntegers(in.dtype(), Shape.of(1), 0);
      default -> {
        if (isPast(name)) {
          yield (in, rows, length) -> past(name, in, rows.size());
        }
        throw unknown(name);
      }
    };
  }

  private static UnsupportedException unknown(String name) {
    return new UnsupportedException(
        "input '%s' of the model: rows do not have it and nothing is known to make it of; give a number that fills it: --set %s=VALUE"
            .formatted(name, name));
  }

  /** Whether an input holds what earlier tokens left behind. */
  private static boolean isPast(String name) {
    return name.startsWith("past_");
  }

  /**
   * A model whose inputs of earlier tokens are declared as empty as they are fed, so that what is
   * made of the graph can rely on it.
   */
  static ModelProto withEmptyPast(ModelProto model) {
    GraphProto.Builder graph = model.getGraph().toBuilder();
    for (ValueInfoProto.Builder input : graph.getInputBuilderList()) {
      if (isPast(input.getName()) && input.getType().getTensorType().hasShape()) {
        TensorShapeProto.Builder shape =
            input.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder();
        for (int axis = 1; axis < shape.getDimCount(); axis++) {
          if (!shape.getDim(axis).hasDimValue()) {
            shape.setDim(axis, Dimension.newBuilder().setDimValue(0));
          }
        }
      }
    }
    return model.toBuilder().setGraph(graph).build();
  }

  /** The model's inputs for rows. */
  Map<String, HostTensor> make(List<Row> rows) {
    int length = length(rows);
    Map<String, HostTensor> made = new LinkedHashMap<>();
    inputs.forEach((name, input) -> made.put(name, input.maker().make(input, rows, length)));
    return made;
  }

  /** The number of tokens that all rows are padded to. */
  static int length(List<Row> rows) {
    return rows.stream().mapToInt(Row::length).max().orElse(0);
  }

  private interface Field {
    long[] of(Row row);
  }

  private static HostTensor tokens(Input input, List<Row> rows, int length, Field field) {
    long[] values = new long[rows.size() * length];
    for (int i = 0; i < rows.size(); i++) {
      long[] row = field.of(rows.get(i));
      System.arraycopy(row, 0, values, i * length, row.length);
    }
    return HostTensor.ofIntegers(input.dtype(), Shape.of(rows.size(), length), values);
  }

  /** Tokens are counted from 0; padding has some place that exists. */
  private static long[] positions(Row row) {
    long[] positions = new long[row.length()];
    long next = 0;
    for (int i = 0; i < positions.length; i++) {
      positions[i] = row.attentionMask()[i] == 0 ? 0 : next++;
    }
    return positions;
  }

  /** No tokens have gone before: the axis of earlier tokens has length 0. */
  private static HostTensor past(String name, Input input, int batch) {
    long[] dims = new long[input.dims().size()];
    for (int axis = 0; axis < dims.length; axis++) {
      Dimension dim = input.dims().get(axis);
      dims[axis] = dim.hasDimValue() ? dim.getDimValue() : axis == 0 ? batch : 0;
    }
    Shape shape = Shape.of(dims);
    if (shape.elements() != 0) {
      throw new UnsupportedException(
          "input '%s' of the model has the fixed length %s of earlier tokens; export it with a free one"
              .formatted(name, shape));
    }
    return new HostTensor(input.dtype(), shape, MemorySegment.ofArray(new byte[0]));
  }

  private static Maker filled(double number) {
    return (input, rows, length) -> {
      List<Long> dims = new ArrayList<>();
      for (Dimension dim : input.dims()) {
        long free = dims.isEmpty() ? rows.size() : length;
        dims.add(dim.hasDimValue() ? dim.getDimValue() : free);
      }
      Shape shape = Shape.of(dims.stream().mapToLong(Long::longValue).toArray());
      double[] values = new double[Math.toIntExact(shape.elements())];
      Arrays.fill(values, number);
      return HostTensor.isFloat(input.dtype())
          ? HostTensor.ofDoubles(input.dtype(), shape, values)
          : HostTensor.ofIntegers(
              input.dtype(), shape, Arrays.stream(values).mapToLong(v -> (long) v).toArray());
    };
  }
}

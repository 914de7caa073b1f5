package dev.graft.inject;

import dev.graft.adapter.LoraPair;
import dev.graft.error.UnsupportedException;
import dev.graft.match.BoundTarget.Whole;
import dev.graft.match.Turn;
import dev.graft.onnxadapter.AdapterParameter;
import dev.graft.onnxadapter.OnnxAdapterWriter;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.DType;
import dev.graft.tensor.FloatCodec;
import dev.graft.tensor.Shape;
import java.lang.foreign.MemorySegment;

/**
 * The values that go into slots: A and s·B turned as the graph multiplies them, with zeros behind
 * the adapter's rank where the slot's is higher, so that the product stays the same.
 */
final class SlotValues {

  private final OnnxAdapterWriter writer;
  private final DoraFactors dora;

  /**
   * Prepares to write.
   *
   * @param writer takes the tensors
   * @param dora knows the weights of the model
   */
  SlotValues(OnnxAdapterWriter writer, DoraFactors dora) {
    this.writer = writer;
    this.dora = dora;
  }

  /** Adds what a pair brings. */
  void add(SlotFit fit, int rank) {
    LoraPair pair = fit.pair();
    float[] a = SafetensorsData.readFloats(pair.a());
    float[] b = scaled(rowsOfB(fit), (float) pair.scale());
    int own = Math.toIntExact(pair.a().shape().dim(0));
    Shape shapeOfA = Shape.of(fit.dimsOfA(rank));
    Shape shapeOfB = Shape.of(fit.dimsOfB(rank));
    float[] placedA = new float[length(fit.slots().a(), shapeOfA)];
    float[] placedB = new float[length(fit.slots().b(), shapeOfB)];
    int ins = a.length / Math.max(1, own);
    int outs = b.length / Math.max(1, own);
    // A is [own, in] and B [out, own], rows one after the other, whatever kernel belongs to a row.
    for (int r = 0; r < own; r++) {
      for (int i = 0; i < ins; i++) {
        placedA[fit.isKernel() ? r * ins + i : i * rank + r] = a[r * ins + i];
      }
      for (int o = 0; o < outs; o++) {
        placedB[fit.isKernel() ? o * rank + r : r * outs + o] = b[o * own + r];
      }
    }
    add(fit.slots().a(), shapeOfA, placedA);
    add(fit.slots().b(), shapeOfB, placedB);
    fit.slots()
        .part(SlotName.Part.BIAS_OF_B)
        .ifPresent(slot ->
            pair.biasOfB()
                .ifPresent(bias ->
                    addVector(
                        slot, scaled(SafetensorsData.readFloats(bias), (float) pair.scale()))));
    fit.slots()
        .part(SlotName.Part.FACTOR)
        .ifPresent(slot -> pair.magnitude().ifPresent(_ -> addVector(slot, dora.of(fit))));
  }

  private static float[] rowsOfB(SlotFit fit) {
    SafetensorsTensor stored = fit.pair().b();
    float[] all = SafetensorsData.readFloats(stored);
    if (fit.outputs().isAll()) {
      return all;
    }
    int width = all.length / Math.toIntExact(stored.shape().dim(0));
    int from = Math.toIntExact(fit.outputs().from() * width);
    float[] rows = new float[Math.toIntExact(fit.outs() * width)];
    System.arraycopy(all, from, rows, 0, rows.length);
    return rows;
  }

  private static float[] scaled(float[] values, float factor) {
    for (int i = 0; i < values.length; i++) {
      values[i] *= factor;
    }
    return values;
  }

  /** Adds zeros of a rank for slots that the adapter has nothing for. */
  void addNothing(ModelSlots.Pair slots, long[] dimsOfA, long[] dimsOfB) {
    Shape a = Shape.of(dimsOfA);
    Shape b = Shape.of(dimsOfB);
    add(slots.a(), a, new float[length(slots.a(), a)]);
    add(slots.b(), b, new float[length(slots.b(), b)]);
  }

  /** Adds a whole tensor. */
  void add(SlotInput slot, Whole whole, Shape shape) {
    float[] values = SafetensorsData.readFloats(whole.replacement().value());
    if (whole.turn() == Turn.TRANSPOSED) {
      int rows = Math.toIntExact(shape.dim(0));
      int columns = Math.toIntExact(shape.dim(1));
      float[] turned = new float[values.length];
      for (int i = 0; i < rows; i++) {
        for (int j = 0; j < columns; j++) {
          turned[i * columns + j] = values[j * rows + i];
        }
      }
      values = turned;
    }
    add(slot, shape, values);
  }

  private void addVector(SlotInput slot, float[] values) {
    add(slot, Shape.of(values.length), values);
  }

  private static int length(SlotInput slot, Shape shape) {
    if (shape.elements() > BaseValues.MAX_ELEMENTS) {
      throw new UnsupportedException(
          "slot '%s' %s takes more than 2 GB, which is all that an .onnx_adapter file can hold; merge the adapter instead"
              .formatted(slot.name(), shape));
    }
    return (int) shape.elements();
  }

  private void add(SlotInput slot, Shape shape, float[] values) {
    DType dtype = slot.dtype();
    AdapterParameter parameter = new AdapterParameter(slot.name(), dtype, shape);
    MemorySegment bytes = MemorySegment.ofArray(new byte[Math.toIntExact(parameter.lengthBytes())]);
    FloatCodec codec = new FloatCodec(dtype, values.length);
    codec.encode(values, values.length, bytes, 0);
    codec.decode(bytes, 0, values, values.length);
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new UnsupportedException(
            "slot '%s' takes %s, in which a value of the adapter is infinite; merge the adapter, or make float32 slots with graft insert --as inputs"
                .formatted(slot.name(), dtype));
      }
    }
    writer.add(parameter, bytes);
  }
}

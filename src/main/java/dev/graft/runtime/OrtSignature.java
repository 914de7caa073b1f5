package dev.graft.runtime;

import dev.graft.error.UnsupportedException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.SizeTPointer;
import org.bytedeco.onnxruntime.OrtSession;
import org.bytedeco.onnxruntime.OrtStatus;
import org.bytedeco.onnxruntime.OrtTensorTypeAndShapeInfo;
import org.bytedeco.onnxruntime.OrtTypeInfo;
import org.bytedeco.onnxruntime.global.onnxruntime;

/** Reads what a session takes and gives. */
final class OrtSignature {

  private final OrtLibrary ort;
  private final OrtTensors tensors;
  private final OrtSession session;
  private final String context;

  /** Reads from a session; the context opens every message. */
  OrtSignature(OrtLibrary ort, OrtSession session, String context) {
    this.ort = ort;
    this.tensors = new OrtTensors(ort);
    this.session = session;
    this.context = context;
  }

  List<ModelValue> inputs() {
    return read(
        ort.api()::SessionGetInputCount,
        (i, name) -> ort.api().SessionGetInputName(session, i, ort.allocator(), name),
        (i, type) -> ort.api().SessionGetInputTypeInfo(session, i, type));
  }

  List<ModelValue> outputs() {
    return read(
        ort.api()::SessionGetOutputCount,
        (i, name) -> ort.api().SessionGetOutputName(session, i, ort.allocator(), name),
        (i, type) -> ort.api().SessionGetOutputTypeInfo(session, i, type));
  }

  private List<ModelValue> read(CountCall count, NameCall names, TypeCall types) {
    try (PointerScope _ = new PointerScope()) {
      SizeTPointer size = new SizeTPointer(1);
      ort.check(count.call(session, size), context);
      List<ModelValue> values = new ArrayList<>();
      for (long i = 0; i < size.get(); i++) {
        PointerPointer<BytePointer> slot = new PointerPointer<>(1);
        ort.check(names.call(i, slot), context);
        BytePointer allocated = slot.get(BytePointer.class, 0);
        String name = allocated.getString(StandardCharsets.UTF_8);
        ort.free(allocated);
        OrtTypeInfo type = new OrtTypeInfo();
        ort.check(types.call(i, type), context);
        try {
          values.add(value(name, type));
        } finally {
          ort.api().ReleaseTypeInfo(type);
        }
      }
      return List.copyOf(values);
    }
  }

  private ModelValue value(String name, OrtTypeInfo type) {
    int[] kind = new int[1];
    ort.check(ort.api().GetOnnxTypeFromTypeInfo(type, kind), context);
    if (kind[0] != onnxruntime.ONNX_TYPE_TENSOR) {
      throw new UnsupportedException(
          "%s: '%s' is a sequence, map or optional; Graft runs models whose inputs and outputs are tensors"
              .formatted(context, name));
    }
    OrtTensorTypeAndShapeInfo info = new OrtTensorTypeAndShapeInfo();
    ort.check(ort.api().CastTypeInfoToTensorInfo(type, info), context);
    long[] sizes = tensors.dims(info, context);
    PointerPointer<BytePointer> symbols = new PointerPointer<>(Math.max(1, sizes.length));
    ort.check(ort.api().GetSymbolicDimensions(info, symbols, sizes.length), context);
    List<Dimension> dims = new ArrayList<>();
    for (int axis = 0; axis < sizes.length; axis++) {
      String symbol = symbols.get(BytePointer.class, axis).getString(StandardCharsets.UTF_8);
      dims.add(new Dimension(Math.max(Dimension.FREE, sizes[axis]), symbol));
    }
    return new ModelValue(name, tensors.elementType(info, context), dims);
  }

  private interface CountCall {
    OrtStatus call(OrtSession session, SizeTPointer count);
  }

  private interface NameCall {
    OrtStatus call(long index, PointerPointer<BytePointer> name);
  }

  private interface TypeCall {
    OrtStatus call(long index, OrtTypeInfo type);
  }
}

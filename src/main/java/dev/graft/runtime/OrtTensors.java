package dev.graft.runtime;

import dev.graft.error.UnsupportedException;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;
import org.bytedeco.onnxruntime.OrtTensorTypeAndShapeInfo;
import org.bytedeco.onnxruntime.OrtValue;
import org.bytedeco.onnxruntime.global.onnxruntime;

/** Turns host tensors into the runtime's values and back. */
final class OrtTensors {

  private final OrtLibrary ort;

  OrtTensors(OrtLibrary ort) {
    this.ort = ort;
  }

  /**
   * A value over the tensor's own memory where that is native and aligned, else over a copy in the
   * arena. The caller releases the value before either goes.
   */
  OrtValue wrap(HostTensor tensor, Arena arena, String context) {
    MemorySegment data = aligned(tensor.data(), arena);
    OrtValue value = new OrtValue();
    long[] dims = tensor.shape().toArray();
    ort.check(
        ort.api()
            .CreateTensorWithDataAsOrtValue(
                ort.cpuMemory(),
                new Address(data.address()),
                tensor.data().byteSize(),
                dims,
                dims.length,
                tensor.dtype().onnxCode(),
                value),
        context);
    return value;
  }

  /** A copy of a value's data in the arena. */
  HostTensor copy(OrtValue value, Arena arena, String context) {
    int[] type = new int[1];
    ort.check(ort.api().GetValueType(value, type), context);
    if (type[0] != onnxruntime.ONNX_TYPE_TENSOR) {
      throw new UnsupportedException(
          context + ": the model gave a sequence, map or optional; only tensors can be read");
    }
    OrtTensorTypeAndShapeInfo info = new OrtTensorTypeAndShapeInfo();
    ort.check(ort.api().GetTensorTypeAndShape(value, info), context);
    try {
      HostTensor tensor =
          HostTensor.allocate(elementType(info, context), Shape.of(dims(info, context)), arena);
      if (tensor.data().byteSize() > 0) {
        PointerPointer<Pointer> at = new PointerPointer<>(1);
        ort.check(ort.api().GetTensorMutableData(value, at), context);
        Pointer.memcpy(new Address(tensor.data().address()), at.get(0), tensor.data().byteSize());
      }
      return tensor;
    } finally {
      ort.api().ReleaseTensorTypeAndShapeInfo(info);
    }
  }

  DType elementType(OrtTensorTypeAndShapeInfo info, String context) {
    int[] code = new int[1];
    ort.check(ort.api().GetTensorElementType(info, code), context);
    return DType.ofOnnx(code[0])
        .orElseThrow(() ->
            new UnsupportedException(
                context + ": element type " + code[0] + " is unknown to Graft"));
  }

  long[] dims(OrtTensorTypeAndShapeInfo info, String context) {
    SizeTPointer rank = new SizeTPointer(1);
    ort.check(ort.api().GetDimensionsCount(info, rank), context);
    long[] dims = new long[Math.toIntExact(rank.get())];
    ort.check(ort.api().GetDimensions(info, dims, dims.length), context);
    return dims;
  }

  private static MemorySegment aligned(MemorySegment data, Arena arena) {
    // Nothing may have address 0, not even nothing: the runtime takes that for a missing tensor.
    boolean usable =
        data.isNative() && data.address() != 0 && data.address() % HostTensor.ALIGNMENT == 0;
    if (usable) {
      return data;
    }
    MemorySegment copy = arena.allocate(Math.max(1, data.byteSize()), HostTensor.ALIGNMENT);
    return copy.copyFrom(data);
  }

  /** A pointer to memory that somebody else owns. */
  private static final class Address extends Pointer {
    Address(long address) {
      this.address = address;
    }
  }
}

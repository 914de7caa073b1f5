package dev.graft.tensor;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Element types of ONNX ({@code TensorProto.DataType}) and safetensors. A type that one of the
 * formats lacks has the code 0 or the empty name there.
 */
public enum DType {
  FLOAT32(1, "F32", 32),
  UINT8(2, "U8", 8),
  INT8(3, "I8", 8),
  UINT16(4, "U16", 16),
  INT16(5, "I16", 16),
  INT32(6, "I32", 32),
  INT64(7, "I64", 64),
  STRING(8, "", 0),
  BOOL(9, "BOOL", 8),
  FLOAT16(10, "F16", 16),
  FLOAT64(11, "F64", 64),
  UINT32(12, "U32", 32),
  UINT64(13, "U64", 64),
  COMPLEX64(14, "C64", 64),
  COMPLEX128(15, "", 128),
  BFLOAT16(16, "BF16", 16),
  FLOAT8E4M3FN(17, "F8_E4M3", 8),
  FLOAT8E4M3FNUZ(18, "F8_E4M3FNUZ", 8),
  FLOAT8E5M2(19, "F8_E5M2", 8),
  FLOAT8E5M2FNUZ(20, "F8_E5M2FNUZ", 8),
  UINT4(21, "", 4),
  INT4(22, "", 4),
  FLOAT4E2M1(23, "F4", 4),
  FLOAT8E8M0(24, "F8_E8M0", 8),
  UINT2(25, "", 2),
  INT2(26, "", 2),
  FLOAT6E2M3(0, "F6_E2M3", 6),
  FLOAT6E3M2(0, "F6_E3M2", 6);

  private static final Map<Integer, DType> BY_ONNX =
      Arrays.stream(values())
          .filter(t -> t.onnxCode != 0)
          .collect(Collectors.toUnmodifiableMap(t -> t.onnxCode, Function.identity()));
  private static final Map<String, DType> BY_SAFETENSORS =
      Arrays.stream(values())
          .filter(t -> !t.safetensorsName.isEmpty())
          .collect(Collectors.toUnmodifiableMap(t -> t.safetensorsName, Function.identity()));

  private final int onnxCode;
  private final String safetensorsName;
  private final int bits;

  DType(int onnxCode, String safetensorsName, int bits) {
    this.onnxCode = onnxCode;
    this.safetensorsName = safetensorsName;
    this.bits = bits;
  }

  /** The number in ONNX's {@code TensorProto.DataType}, 0 where ONNX has no such type. */
  public int onnxCode() {
    return onnxCode;
  }

  /** The name in a safetensors header, empty where that format has no such type. */
  public String safetensorsName() {
    return safetensorsName;
  }

  /** Bits of one element; sub-byte types are packed, strings have 0. */
  public int bits() {
    return bits;
  }

  /**
   * Whether this is one of the three types whose weights Graft can fold: float32, float16,
   * bfloat16.
   */
  public boolean isFoldable() {
    return this == FLOAT32 || this == FLOAT16 || this == BFLOAT16;
  }

  /**
   * Bytes that so many elements take, the last byte padded where the type is smaller than one.
   *
   * @throws ArithmeticException if the number does not fit in a long
   */
  public long bytes(long elements) {
    return Math.ceilDiv(Math.multiplyExact(elements, (long) bits), 8L);
  }

  /** The type with this number in ONNX. */
  public static Optional<DType> ofOnnx(int code) {
    return Optional.ofNullable(BY_ONNX.get(code));
  }

  /** The type with this name in a safetensors header. */
  public static Optional<DType> ofSafetensors(String name) {
    return Optional.ofNullable(BY_SAFETENSORS.get(name));
  }
}

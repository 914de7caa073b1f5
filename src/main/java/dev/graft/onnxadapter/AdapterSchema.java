package dev.graft.onnxadapter;

import dev.graft.tensor.DType;
import java.util.EnumSet;
import java.util.Set;

/** Numbers of ONNX Runtime's schema: the fields of its two tables, counted from 0. */
final class AdapterSchema {

  static final String IDENTIFIER = "TORT";
  static final int FORMAT = 1;

  static final int FORMAT_VERSION = 0;
  static final int ADAPTER_VERSION = 1;
  static final int MODEL_VERSION = 2;
  static final int PARAMETERS = 3;
  static final int FIELDS = 4;

  static final int NAME = 0;
  static final int DIMS = 1;
  static final int DATA_TYPE = 2;
  static final int RAW_DATA = 3;
  static final int PARAMETER_FIELDS = 4;

  /** What ONNX Runtime reads back; it writes others, bool among them, and then refuses them. */
  static final Set<DType> TYPES =
      EnumSet.of(
          DType.FLOAT32,
          DType.FLOAT16,
          DType.BFLOAT16,
          DType.FLOAT64,
          DType.INT8,
          DType.INT16,
          DType.INT32,
          DType.INT64,
          DType.UINT8,
          DType.UINT16,
          DType.UINT32,
          DType.UINT64);

  private AdapterSchema() {}
}

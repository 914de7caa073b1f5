package dev.graft.runtime;

import dev.graft.flatbuffers.FlatBuffer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/**
 * The checkpoint file of ONNX Runtime Training, version 2: a FlatBuffer with the identifier {@code
 * ODTC}. Graft keeps in it what is trained and nothing else; frozen weights stay in their own
 * files.
 */
public final class ParameterCheckpoint {

  private static final int VERSION = 2;
  private static final String IDENTIFIER = "ODTC";

  // Places of the fields in their tables.
  private static final int CHECKPOINT_VERSION = 0;
  private static final int CHECKPOINT_MODULE = 1;
  private static final int CHECKPOINT_FIELDS = 4;
  private static final int MODULE_TRAINABLE = 0;
  private static final int MODULE_FROZEN = 1;
  private static final int MODULE_FIELDS = 4;
  private static final int TENSOR_NAME = 0;
  private static final int TENSOR_DIMS = 2;
  private static final int TENSOR_TYPE = 3;
  private static final int TENSOR_DATA = 4;
  private static final int TENSOR_FIELDS = 7;

  private ParameterCheckpoint() {}

  /**
   * The file's bytes for trainable parameters. They are sorted by name, as ONNX Runtime itself
   * writes them.
   *
   * @throws IllegalArgumentException if they are more than a FlatBuffer holds, 2 GB
   */
  public static MemorySegment bytes(Map<String, HostTensor> parameters) {
    SequencedMap<String, HostTensor> sorted = new TreeMap<>(parameters);
    FlatBuffer buffer = new FlatBuffer(size(sorted));
    List<Integer> tensors = new ArrayList<>();
    sorted.forEach((name, tensor) -> tensors.add(tensor(buffer, name, tensor)));
    int trainable = buffer.references(tensors);
    int frozen = buffer.references(List.of());
    buffer.beginTable(MODULE_FIELDS);
    buffer.reference(MODULE_TRAINABLE, trainable);
    buffer.reference(MODULE_FROZEN, frozen);
    int module = buffer.endTable();
    buffer.beginTable(CHECKPOINT_FIELDS);
    buffer.integer(CHECKPOINT_VERSION, VERSION);
    buffer.reference(CHECKPOINT_MODULE, module);
    return MemorySegment.ofArray(buffer.finish(buffer.endTable(), IDENTIFIER));
  }

  private static int tensor(FlatBuffer buffer, String name, HostTensor tensor) {
    int data = buffer.bytes(tensor.data());
    int dims = buffer.longs(tensor.shape().toArray());
    int text = buffer.text(name);
    buffer.beginTable(TENSOR_FIELDS);
    buffer.reference(TENSOR_NAME, text);
    buffer.reference(TENSOR_DIMS, dims);
    buffer.integer(TENSOR_TYPE, tensor.dtype().onnxCode());
    buffer.reference(TENSOR_DATA, data);
    return buffer.endTable();
  }

  private static long size(Map<String, HostTensor> parameters) {
    return parameters.entrySet().stream()
        .mapToLong(e -> e.getValue().data().byteSize() + 4L * e.getKey().length() + 256)
        .sum();
  }
}

package dev.graft.autodiff;

import dev.graft.runtime.HostTensor;
import dev.graft.runtime.ModelValue;
import dev.graft.runtime.Session;
import dev.graft.safetensors.SafetensorsData;
import dev.graft.safetensors.SafetensorsFile;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.tensor.DType;
import dev.graft.testing.GoldenCase;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/** The inputs of a golden case, in the types that a model wants them. */
final class CaseInputs {

  private CaseInputs() {}

  static Map<String, HostTensor> read(GoldenCase golden, Session session) {
    SafetensorsFile inputs = SafetensorsFile.open(golden.file("inputs.safetensors"));
    Map<String, HostTensor> feeds = new HashMap<>();
    for (ModelValue input : session.inputs()) {
      inputs
          .tensor(input.name())
          .ifPresent(tensor -> feeds.put(tensor.name(), host(tensor, input.dtype())));
    }
    return feeds;
  }

  private static HostTensor host(SafetensorsTensor tensor, DType wanted) {
    HostTensor stored =
        new HostTensor(
            tensor.dtype(),
            tensor.shape(),
            MemorySegment.ofArray(SafetensorsData.readBytes(tensor)));
    return stored.dtype() == wanted
        ? stored
        : HostTensor.ofDoubles(wanted, stored.shape(), stored.toDoubles());
  }
}

package dev.graft.runtime;

import java.lang.foreign.Arena;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.Set;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.SizeTPointer;
import org.bytedeco.onnxruntime.OrtRunOptions;
import org.bytedeco.onnxruntime.OrtStatus;
import org.bytedeco.onnxruntime.OrtTrainingApi;
import org.bytedeco.onnxruntime.OrtTrainingSession;
import org.bytedeco.onnxruntime.OrtValue;

/**
 * One of a training session's two graphs that are fed. ONNX Runtime takes their inputs by position
 * alone, so the names are put in order and held against the graph's here.
 */
final class TrainingStep {

  private final OrtLibrary ort;
  private final OrtTensors tensors;
  private final String context;
  private final Call call;
  private final List<String> inputs;
  private final List<String> outputs;

  private TrainingStep(OrtTraining training, String context, Names names, Call call) {
    this.ort = training.ort();
    this.tensors = new OrtTensors(ort);
    this.context = context;
    this.call = call;
    this.inputs = names(names.inputCount(), names.input());
    this.outputs = names(names.outputCount(), names.output());
  }

  static TrainingStep training(OrtTraining training, OrtTrainingSession session, String name) {
    OrtTrainingApi api = training.api();
    return new TrainingStep(
        training,
        name + ": a training step failed",
        new Names(
            count -> api.TrainingSessionGetTrainingModelInputCount(session, count),
            (i, slot) ->
                api.TrainingSessionGetTrainingModelInputName(
                    session, i, training.ort().allocator(), slot),
            count -> api.TrainingSessionGetTrainingModelOutputCount(session, count),
            (i, slot) ->
                api.TrainingSessionGetTrainingModelOutputName(
                    session, i, training.ort().allocator(), slot)),
        (fed, values, wanted, results) ->
            api.TrainStep(session, new OrtRunOptions(), fed, values, wanted, results));
  }

  static TrainingStep eval(OrtTraining training, OrtTrainingSession session, String name) {
    OrtTrainingApi api = training.api();
    return new TrainingStep(
        training,
        name + ": an evaluation step failed",
        new Names(
            count -> api.TrainingSessionGetEvalModelInputCount(session, count),
            (i, slot) ->
                api.TrainingSessionGetEvalModelInputName(
                    session, i, training.ort().allocator(), slot),
            count -> api.TrainingSessionGetEvalModelOutputCount(session, count),
            (i, slot) ->
                api.TrainingSessionGetEvalModelOutputName(
                    session, i, training.ort().allocator(), slot)),
        (fed, values, wanted, results) ->
            api.EvalStep(session, new OrtRunOptions(), fed, values, wanted, results));
  }

  List<String> inputs() {
    return inputs;
  }

  List<String> outputs() {
    return outputs;
  }

  SequencedMap<String, HostTensor> run(Map<String, HostTensor> feeds, Arena arena) {
    requireNames(feeds.keySet());
    try (Arena copies = Arena.ofConfined();
        PointerScope _ = new PointerScope()) {
      List<OrtValue> values = new ArrayList<>();
      try {
        for (String input : inputs) {
          HostTensor tensor = Objects.requireNonNull(feeds.get(input));
          values.add(tensors.wrap(tensor, copies, "%s: input '%s'".formatted(context, input)));
        }
        return collect(results(values), arena);
      } finally {
        values.forEach(ort.api()::ReleaseValue);
      }
    } finally {
      // The runtime reads the feeds where they lie.
      Reference.reachabilityFence(feeds);
    }
  }

  private void requireNames(Set<String> given) {
    Set<String> missing = new LinkedHashSet<>(inputs);
    missing.removeAll(given);
    Set<String> beyond = new LinkedHashSet<>(given);
    beyond.removeAll(inputs);
    if (!missing.isEmpty() || !beyond.isEmpty()) {
      throw new IllegalArgumentException(
          "%s: its inputs are %s; missing %s, beyond them %s"
              .formatted(context, inputs, missing, beyond));
    }
  }

  private List<OrtValue> results(List<OrtValue> values) {
    PointerPointer<OrtValue> results = new PointerPointer<>(Math.max(1, outputs.size()));
    for (int i = 0; i < outputs.size(); i++) {
      results.put(i, null);
    }
    PointerPointer<OrtValue> fed = new PointerPointer<>(values.toArray(OrtValue[]::new));
    ort.check(call.call(values.size(), fed, outputs.size(), results), context);
    List<OrtValue> owned = new ArrayList<>();
    for (int i = 0; i < outputs.size(); i++) {
      owned.add(results.get(OrtValue.class, i));
    }
    return owned;
  }

  private SequencedMap<String, HostTensor> collect(List<OrtValue> owned, Arena arena) {
    try {
      SequencedMap<String, HostTensor> found = new LinkedHashMap<>();
      for (int i = 0; i < outputs.size(); i++) {
        String output = outputs.get(i);
        found.put(
            output,
            tensors.copy(owned.get(i), arena, "%s: output '%s'".formatted(context, output)));
      }
      return Collections.unmodifiableSequencedMap(found);
    } finally {
      owned.forEach(ort.api()::ReleaseValue);
    }
  }

  private List<String> names(CountCall count, NameCall name) {
    try (PointerScope _ = new PointerScope()) {
      SizeTPointer size = new SizeTPointer(1);
      OrtStatus status = count.call(size);
      List<String> names = new ArrayList<>();
      ort.check(status, context);
      for (long i = 0; i < size.get(); i++) {
        PointerPointer<BytePointer> slot = new PointerPointer<>(1);
        ort.check(name.call(i, slot), context);
        BytePointer allocated = slot.get(BytePointer.class, 0);
        names.add(allocated.getString(StandardCharsets.UTF_8));
        ort.free(allocated);
      }
      return List.copyOf(names);
    }
  }

  private record Names(
      CountCall inputCount, NameCall input, CountCall outputCount, NameCall output) {}

  private interface CountCall {
    OrtStatus call(SizeTPointer count);
  }

  private interface NameCall {
    OrtStatus call(long index, PointerPointer<BytePointer> name);
  }

  private interface Call {
    OrtStatus call(
        long fed, PointerPointer<OrtValue> values, long wanted, PointerPointer<OrtValue> results);
  }
}

package dev.graft.runtime;

import dev.graft.error.FormatException;
import dev.graft.error.RuntimeFailure;
import java.lang.foreign.Arena;
import java.lang.ref.Reference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.onnxruntime.OrtRunOptions;
import org.bytedeco.onnxruntime.OrtSession;
import org.bytedeco.onnxruntime.OrtValue;

/**
 * A model loaded into ONNX Runtime on the CPU. Several threads may run one session at a time;
 * whoever closes it sees to it that none does any more.
 */
public final class Session implements AutoCloseable {

  private final OrtLibrary ort;
  private final OrtTensors tensors;
  private final Path model;
  private final OrtSession session;
  private final List<ModelValue> inputs;
  private final List<ModelValue> outputs;
  private boolean closed;

  private Session(OrtLibrary ort, Path model, OrtSession session) {
    this.ort = ort;
    this.tensors = new OrtTensors(ort);
    this.model = model;
    this.session = session;
    OrtSignature signature = new OrtSignature(ort, session, model.toString());
    this.inputs = signature.inputs();
    this.outputs = signature.outputs();
  }

  /**
   * Loads a model.
   *
   * @param model the {@code .onnx} file; its external data is found from there
   * @throws FormatException if there is no such file
   * @throws RuntimeFailure if ONNX Runtime cannot load it, with its reason
   * @throws dev.graft.error.UnsupportedException if an input or output is not a tensor
   */
  public static Session open(Path model, SessionSettings settings) {
    requireFile(model);
    OrtLibrary ort = OrtLibrary.get();
    String context = model + ": ONNX Runtime cannot load the model";
    OrtSession session = new OrtSession();
    try (PointerScope _ = new PointerScope();
        OrtOptions options = new OrtOptions(ort, settings, context)) {
      ort.check(
          ort.api()
              .CreateSession(
                  ort.env(), OrtLibrary.path(model.toString()), options.pointer(), session),
          context);
    }
    try {
      return new Session(ort, model, session);
    } catch (RuntimeException e) {
      ort.api().ReleaseSession(session);
      throw e;
    }
  }

  /** What must be fed, in the graph's order; inputs that have a default are not listed. */
  public List<ModelValue> inputs() {
    return inputs;
  }

  /** What comes out, in the graph's order. */
  public List<ModelValue> outputs() {
    return outputs;
  }

  /** Runs the model for all its outputs, in memory that lives until nothing refers to it. */
  public SequencedMap<String, HostTensor> run(Map<String, HostTensor> feeds) {
    return run(feeds, outputs.stream().map(ModelValue::name).toList(), Arena.ofAuto());
  }

  /**
   * Runs the model.
   *
   * @param feeds a tensor for each input
   * @param wanted names of the outputs to compute
   * @param arena where the outputs' memory comes from
   * @return the outputs in the order asked for
   * @throws RuntimeFailure if ONNX Runtime refuses the feeds or fails, with its reason
   */
  public SequencedMap<String, HostTensor> run(
      Map<String, HostTensor> feeds, List<String> wanted, Arena arena) {
    return run(new Request(feeds, wanted, List.of()), arena);
  }

  /**
   * Runs the model for all its outputs with adapters beside it, whose tensors are fed to the inputs
   * of their names. Another request may have others. An adapter must not be closed meanwhile.
   *
   * @param feeds a tensor for each input that no adapter brings and that has no default
   * @param adapters the adapters that act; none of two may bring the same input
   * @throws RuntimeFailure if ONNX Runtime refuses the feeds, an adapter brings an input that the
   *     model has not, or the run fails, with its reason
   */
  public SequencedMap<String, HostTensor> run(
      Map<String, HostTensor> feeds, List<LoraAdapter> adapters) {
    List<String> all = outputs.stream().map(ModelValue::name).toList();
    return run(new Request(feeds, all, adapters), Arena.ofAuto());
  }

  private record Request(
      Map<String, HostTensor> feeds, List<String> wanted, List<LoraAdapter> adapters) {}

  private SequencedMap<String, HostTensor> run(Request request, Arena arena) {
    if (closed) {
      throw new IllegalStateException(model + ": the session is closed");
    }
    try (Arena copies = Arena.ofConfined();
        PointerScope _ = new PointerScope()) {
      List<OrtValue> values = new ArrayList<>();
      try {
        request
            .feeds()
            .forEach((name, tensor) ->
                values.add(tensors.wrap(tensor, copies, "%s: input '%s'".formatted(model, name))));
        return collect(request.wanted(), results(request, values), arena);
      } finally {
        values.forEach(ort.api()::ReleaseValue);
      }
    } finally {
      // The runtime reads the feeds where they lie; an automatic arena must not free them
      // meanwhile.
      Reference.reachabilityFence(request);
    }
  }

  private List<OrtValue> results(Request request, List<OrtValue> values) {
    OrtRunOptions options = new OrtRunOptions();
    if (request.adapters().isEmpty()) {
      return results(request, values, options);
    }
    String context = model + ": the adapters cannot be made active";
    ort.check(ort.api().CreateRunOptions(options), context);
    try {
      for (LoraAdapter adapter : request.adapters()) {
        ort.check(ort.api().RunOptionsAddActiveLoraAdapter(options, adapter.pointer()), context);
      }
      return results(request, values, options);
    } finally {
      ort.api().ReleaseRunOptions(options);
    }
  }

  private List<OrtValue> results(Request request, List<OrtValue> values, OrtRunOptions options) {
    List<String> wanted = request.wanted();
    PointerPointer<OrtValue> results = new PointerPointer<>(Math.max(1, wanted.size()));
    for (int i = 0; i < wanted.size(); i++) {
      results.put(i, null);
    }
    ort.check(
        ort.api()
            .Run(
                session,
                options,
                pointers(request.feeds().keySet()),
                new PointerPointer<OrtValue>(values.toArray(OrtValue[]::new)),
                values.size(),
                pointers(wanted),
                wanted.size(),
                results),
        model + ": the model failed to run");
    List<OrtValue> owned = new ArrayList<>();
    for (int i = 0; i < wanted.size(); i++) {
      owned.add(results.get(OrtValue.class, i));
    }
    return owned;
  }

  private SequencedMap<String, HostTensor> collect(
      List<String> wanted, List<OrtValue> owned, Arena arena) {
    try {
      SequencedMap<String, HostTensor> outputs = new LinkedHashMap<>();
      for (int i = 0; i < wanted.size(); i++) {
        String context = "%s: output '%s'".formatted(model, wanted.get(i));
        outputs.put(wanted.get(i), tensors.copy(owned.get(i), arena, context));
      }
      return Collections.unmodifiableSequencedMap(outputs);
    } finally {
      owned.forEach(ort.api()::ReleaseValue);
    }
  }

  private static PointerPointer<BytePointer> pointers(Collection<String> names) {
    List<BytePointer> pointers = new ArrayList<>();
    names.forEach(name -> pointers.add(new BytePointer(name, StandardCharsets.UTF_8)));
    return new PointerPointer<>(pointers.toArray(BytePointer[]::new));
  }

  /** Frees the model. Tensors that it gave stay valid. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      ort.api().ReleaseSession(session);
    }
  }

  private static void requireFile(Path model) {
    if (Files.isDirectory(model)) {
      throw new FormatException(model + ": is a folder; a model is an .onnx file");
    }
    if (!Files.exists(model)) {
      throw new FormatException(model + ": there is no such model file");
    }
    if (!Files.isRegularFile(model)) {
      throw new FormatException(model + ": is a pipe or device, not an .onnx file");
    }
    if (!Files.isReadable(model)) {
      throw new FormatException(model + ": the model file cannot be read; check its permissions");
    }
  }
}

package dev.graft.inject;

import dev.graft.adapter.AdapterTarget;
import dev.graft.adapter.LoraPair;
import dev.graft.adapter.NewConfig;
import dev.graft.adapter.PeftAdapter;
import dev.graft.error.UnsupportedException;
import dev.graft.io.AtomicOutput;
import dev.graft.match.Turn;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.safetensors.SafetensorsWriter;
import dev.graft.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.regex.Pattern;

/** Writes the adapter that a model holds as PEFT would have saved it, bit for bit. */
final class HeldFiles {

  /** A key may hold the adapter's name still. */
  private static final Pattern WEIGHT_OF_B = Pattern.compile(".*\\.lora_B(\\.[^.]+)?\\.weight");

  private static final Pattern BIAS_OF_B = Pattern.compile(".*\\.lora_B(\\.[^.]+)?\\.bias");

  private final OnnxModel model;
  private final BaseValues values;

  HeldFiles(OnnxModel model) {
    this.model = model;
    this.values = new BaseValues(model);
  }

  /**
   * Writes the files and reads them back.
   *
   * @param folder where to
   */
  PeftAdapter write(Held held, Path folder) {
    SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
    held.tensors().forEach(tensor -> add(writer, tensor));
    if (hasBias(held)) {
      held.tensors().forEach(tensor -> addNoBias(writer, held, tensor));
    }
    byte[] json = config(held).json().getBytes(StandardCharsets.UTF_8);
    try (AtomicOutput output = AtomicOutput.begin(FreshAdapter.files(folder).getFirst())) {
      output.main().write(MemorySegment.ofArray(json), 0);
      writer.write(FreshAdapter.files(folder).getLast());
      output.commit();
    }
    PeftAdapter adapter = PeftAdapter.open(folder);
    requireScales(held, adapter);
    return adapter;
  }

  /** Rank and alpha went through patterns, which another module's name could match first. */
  private void requireScales(Held held, PeftAdapter adapter) {
    Map<String, Double> scales = new HashMap<>();
    held.modules().forEach(m -> scales.put(m.name(), m.scale()));
    for (AdapterTarget target : adapter.targets()) {
      if (target instanceof LoraPair pair) {
        requireScale(scales, pair);
      }
    }
  }

  private void requireScale(Map<String, Double> scales, LoraPair pair) {
    // The pair of a MultiheadAttention is read as one of its packed projection.
    String owner = pair.module().replaceAll("\\.?in_proj$", "");
    Double scale = scales.getOrDefault(pair.module(), scales.get(owner));
    if (!Objects.equals(scale, pair.scale())) {
      throw new UnsupportedException(
          "%s: the branch at '%s' has the scale %s, but as an adapter it would have %s; merge the adapter into the base instead (merge -a)"
              .formatted(model.path(), pair.module(), scale, pair.scale()));
    }
  }

  private void add(SafetensorsWriter writer, HeldTensor held) {
    StoredTensor tensor = held.tensor();
    if (!tensor.dtype().isFoldable() || tensor.shape().elements() > BaseValues.MAX_ELEMENTS) {
      throw new UnsupportedException(
          "%s: '%s' %s of type %s cannot be a factor of a branch; it has to be of floats and at most %,d values"
              .formatted(
                  model.path(),
                  tensor.label(),
                  tensor.shape(),
                  tensor.dtype(),
                  BaseValues.MAX_ELEMENTS));
    }
    MemorySegment bytes = values.bytes(tensor);
    boolean isTurned = held.turn() == Turn.TRANSPOSED;
    Shape shape = isTurned ? tensor.shape().transposed() : tensor.shape();
    writer.add(held.key(), tensor.dtype(), shape, isTurned ? turned(bytes, tensor.shape()) : bytes);
  }

  /**
   * Where a branch is on the weight, the bias of B went into the module's own, and nothing is left
   * to add; PEFT has one for each pair or for none.
   */
  private static void addNoBias(SafetensorsWriter writer, Held held, HeldTensor b) {
    String bias = b.key().replaceAll("\\.weight$", ".bias");
    if (WEIGHT_OF_B.matcher(b.key()).matches()
        && held.tensors().stream().noneMatch(t -> t.key().equals(bias))) {
      Shape shape = b.tensor().shape();
      int outputs = Math.toIntExact(b.turn() == Turn.TRANSPOSED ? shape.dim(1) : shape.dim(0));
      writer.add(bias, Shape.of(outputs), new float[outputs]);
    }
  }

  private static boolean hasBias(Held held) {
    return held.tensors().stream().anyMatch(t -> BIAS_OF_B.matcher(t.key()).matches());
  }

  private static MemorySegment turned(MemorySegment bytes, Shape shape) {
    int rows = Math.toIntExact(shape.dim(0));
    int columns = Math.toIntExact(shape.dim(1));
    MemorySegment turned = MemorySegment.ofArray(new byte[Math.toIntExact(bytes.byteSize())]);
    long size = bytes.byteSize() / Math.max(1, shape.elements());
    for (long r = 0; r < rows; r++) {
      for (long c = 0; c < columns; c++) {
        MemorySegment.copy(bytes, (r * columns + c) * size, turned, (c * rows + r) * size, size);
      }
    }
    return turned;
  }

  private static NewConfig config(Held held) {
    HeldModule usual = held.modules().getFirst();
    SequencedMap<String, Integer> ranks = new LinkedHashMap<>();
    SequencedMap<String, Double> alphas = new LinkedHashMap<>();
    // The first pattern that matches wins, and one name may be the end of another.
    held.modules().stream()
        .sorted(Comparator.comparingInt((HeldModule m) -> m.name().length()).reversed())
        .forEach(module -> {
          ranks.put(pattern(module), module.rank());
          alphas.put(pattern(module), module.alpha());
        });
    NewConfig config = NewConfig.defaults().r(usual.rank()).loraAlpha(usual.alpha());
    List<String> named = held.modules().stream().map(HeldModule::name).toList();
    config = config.targetModules(named).rankPattern(ranks).alphaPattern(alphas);
    if (held.tensors().stream().anyMatch(t -> t.key().contains(".lora_magnitude_vector"))) {
      config = config.useDora();
    }
    return hasBias(held) ? config.loraBias() : config;
  }

  private static String pattern(HeldModule module) {
    return module.name().replaceAll("[^A-Za-z0-9_]", "\\\\$0");
  }
}

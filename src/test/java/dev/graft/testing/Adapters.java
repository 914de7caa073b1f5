package dev.graft.testing;

import dev.graft.safetensors.SafetensorsWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Builds an adapter folder as PEFT saves it: rank {@value #RANK}, scale {@value #SCALE}. */
public final class Adapters {

  /** Rank of every pair. */
  public static final int RANK = 2;

  /** What every B·A is multiplied with. */
  public static final float SCALE = 1.5f;

  private final Map<String, String> config = new LinkedHashMap<>();
  private final Map<String, Pair> pairs = new LinkedHashMap<>();
  private final Map<String, Values> tensors = new LinkedHashMap<>();
  private final Map<String, Values> biases = new LinkedHashMap<>();
  private final List<String> saved = new ArrayList<>();

  private Adapters() {
    config.put("peft_type", "\"LORA\"");
    config.put("r", Integer.toString(RANK));
    config.put("lora_alpha", Float.toString(RANK * SCALE));
  }

  /** The two factors of a module. */
  public record Pair(Values a, Values b) {

    /** What the module's output of one row gains. */
    public double[] delta(double[] x) {
      double[] low = new double[a.rows()];
      for (int r = 0; r < low.length; r++) {
        for (int i = 0; i < x.length; i++) {
          low[r] += a.at(r, i) * x[i];
        }
      }
      double[] out = new double[b.rows()];
      for (int o = 0; o < out.length; o++) {
        for (int r = 0; r < low.length; r++) {
          out[o] += SCALE * b.at(o, r) * low[r];
        }
      }
      return out;
    }
  }

  /** An empty adapter. */
  public static Adapters create() {
    return new Adapters();
  }

  /** Random factors for a module, other ones for every module. */
  public Adapters lora(String module, int in, int out) {
    long seed = module.hashCode();
    pairs.put(module, new Pair(Values.random(seed, RANK, in), Values.random(seed + 1, out, RANK)));
    return this;
  }

  /** A bias of B for a module's pair; {@code lora_bias} is set, so every pair needs one. */
  public Adapters loraBias(String module, Values values) {
    biases.put(module, values);
    return config("lora_bias", "true");
  }

  /** A bias that was trained because {@code bias} is {@code all}. */
  public Adapters bias(String parameter, Values values) {
    return tensor(parameter, values).config("bias", "\"all\"");
  }

  /** A whole parameter of a module that {@code modules_to_save} names. */
  public Adapters saved(String parameter, Values values) {
    tensors.put(parameter, values);
    String module = parameter.substring(0, parameter.lastIndexOf('.'));
    saved.add(module.substring(module.lastIndexOf('.') + 1));
    return this;
  }

  /** A whole parameter that no setting names. */
  public Adapters tensor(String parameter, Values values) {
    tensors.put(parameter, values);
    return this;
  }

  /** A setting, its value as JSON. */
  public Adapters config(String key, String json) {
    config.put(key, json);
    return this;
  }

  /** The factors of a module. */
  public Pair pair(String module) {
    Pair pair = pairs.get(module);
    if (pair == null) {
      throw new IllegalArgumentException("no factors for " + module);
    }
    return pair;
  }

  /** Writes the folder. */
  public Path write(Path folder) {
    SafetensorsWriter writer = new SafetensorsWriter();
    pairs.forEach((module, pair) -> {
      add(writer, module + ".lora_A.weight", pair.a());
      add(writer, module + ".lora_B.weight", pair.b());
    });
    biases.forEach((module, bias) -> add(writer, module + ".lora_B.bias", bias));
    tensors.forEach((name, values) -> add(writer, name, values));
    if (!saved.isEmpty()) {
      config.put(
          "modules_to_save",
          saved.stream()
              .distinct()
              .map(m -> '"' + m + '"')
              .collect(Collectors.joining(",", "[", "]")));
    }
    try {
      Files.createDirectories(folder);
      Files.writeString(
          folder.resolve("adapter_config.json"),
          config.entrySet().stream()
              .map(e -> '"' + e.getKey() + "\": " + e.getValue())
              .collect(Collectors.joining(",\n", "{", "}")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    writer.write(folder.resolve("adapter_model.safetensors"));
    return folder;
  }

  private static void add(SafetensorsWriter writer, String name, Values values) {
    writer.add(
        "base_model.model." + name,
        values.type(),
        values.shape(),
        MemorySegment.ofArray(values.bytes()));
  }
}

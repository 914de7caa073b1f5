package dev.graft.adapter;

import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.safetensors.Json;
import dev.graft.safetensors.StrictJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Reads {@code adapter_config.json} and checks the type of every field, all faults in one message.
 */
final class ConfigReader {

  private static final long MAX_BYTES = 8 << 20;

  private final Path path;
  private final Map<ConfigField, Json> values = new EnumMap<>(ConfigField.class);
  private final List<String> unknown = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();

  private ConfigReader(Path path) {
    this.path = path;
  }

  /** The checked fields of a file, those with null left out. */
  record Fields(Map<ConfigField, Json> values, List<String> unknown) {}

  static Fields read(Path path) {
    return check(path, StrictJson.read(path, MAX_BYTES));
  }

  /** The checked fields of a text that is yet to be written. */
  static Fields parse(Path path, String text) {
    return check(path, StrictJson.parse(path, text));
  }

  private static Fields check(Path path, Json json) {
    if (!(json instanceof Json.Obj object)) {
      throw new FormatException(
          path + ": expected a JSON object with PEFT's adapter configuration");
    }
    ConfigReader reader = new ConfigReader(path);
    // Other kinds of adapter use the same names for other things, so the kind is settled first.
    reader.requireLora(object);
    object.members().forEach(reader::take);
    if (!reader.problems.isEmpty()) {
      throw new FormatException(path + ": " + String.join("; ", reader.problems));
    }
    return new Fields(reader.values, List.copyOf(reader.unknown));
  }

  private void requireLora(Json.Obj object) {
    Json type = object.members().getOrDefault("peft_type", Json.Null.NULL);
    if (!(type instanceof Json.Str(String name))) {
      throw new FormatException(
          path
              + ": peft_type must be a string, found "
              + (object.members().containsKey("peft_type") ? type.describe() : "no such field")
              + "; is this the configuration of a PEFT adapter?");
    }
    if (!name.equals("LORA")) {
      throw new UnsupportedException(path + ": " + OtherPeftTypes.refusal(name));
    }
  }

  private void take(String key, Json value) {
    ConfigField field = ConfigField.of(key).orElse(null);
    if (field == null) {
      unknown.add(key);
    } else if (value == Json.Null.NULL && field.nullable()) {
      return;
    } else if (field.type().accepts(value)) {
      values.put(field, value);
    } else {
      problems.add(key + " must be " + field.type().description() + ", found " + value.describe());
    }
  }
}

package dev.graft.adapter;

import dev.graft.error.FormatException;
import dev.graft.safetensors.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** Turns checked JSON values into Java's. */
final class ConfigValues {

  private final Map<ConfigField, Json> values;

  ConfigValues(Map<ConfigField, Json> values) {
    this.values = values;
  }

  List<String> strings(ConfigField field) {
    return values.get(field) instanceof Json.Arr list ? strings(list) : List.of();
  }

  SequencedMap<String, Integer> ranks(ConfigField field) {
    SequencedMap<String, Integer> result = new LinkedHashMap<>();
    numbers(field).forEach((key, value) -> result.put(key, value.intValue()));
    return result;
  }

  SequencedMap<String, Double> numbers(ConfigField field) {
    SequencedMap<String, Double> result = new LinkedHashMap<>();
    if (values.get(field) instanceof Json.Obj object) {
      object.members().forEach((key, value) -> result.put(key, ((Json.Num) value).toDouble()));
    }
    return result;
  }

  BlockDiagonal blockDiagonal(String where) {
    if (!(values.get(ConfigField.USE_BDLORA) instanceof Json.Obj object)) {
      return BlockDiagonal.NONE;
    }
    Json blocks = object.members().getOrDefault("nblocks", new Json.Num("1"));
    return new BlockDiagonal(
        names(where, object, "target_modules_bd_a"),
        names(where, object, "target_modules_bd_b"),
        (int) ((Json.Num) require(where, "nblocks", FieldType.RANK, blocks)).toDouble());
  }

  private static List<String> names(String where, Json.Obj object, String key) {
    Json value = object.members().getOrDefault(key, Json.Null.NULL);
    if (value == Json.Null.NULL) {
      return List.of();
    }
    return strings((Json.Arr) require(where, key, FieldType.STRINGS, value));
  }

  private static Json require(String where, String key, FieldType type, Json value) {
    if (!type.accepts(value)) {
      throw new FormatException(
          where
              + ": use_bdlora."
              + key
              + " must be "
              + type.description()
              + ", found "
              + value.describe());
    }
    return value;
  }

  private static List<String> strings(Json.Arr list) {
    return list.items().stream().map(item -> ((Json.Str) item).value()).toList();
  }
}

package dev.graft.inject;

import dev.graft.error.FormatException;
import dev.graft.onnx.OnnxModel;
import dev.graft.safetensors.Json;
import dev.graft.safetensors.StrictJson;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * What a model with branches says of their making, one metadata entry for each adapter. No path and
 * no time: the same insertion gives the same bytes anywhere.
 */
final class InjectionRecord {

  /** Metadata keys are this and a number, counted from 1. */
  private static final String KEY = "graft.insert.";

  /** The inputs that were added for an adapter at run time. */
  private static final String SLOTS = "slots";

  private static final int SCHEMA = 1;
  private static final JsonFactory FACTORY = new JsonFactory();

  private InjectionRecord() {}

  /** The first key that a model does not have. */
  static String key(OnnxModel model) {
    int number = 1;
    while (model.metadata().containsKey(KEY + number)) {
      number++;
    }
    return KEY + number;
  }

  /**
   * One line of JSON.
   *
   * @param tool name and version of the program
   * @param injection what was inserted
   */
  static String json(String tool, Injection injection) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = FACTORY.createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      json.writeNumberProperty("schema", SCHEMA);
      json.writeStringProperty("tool", tool);
      json.writeObjectPropertyStart("adapter");
      json.writeStringProperty("name", injection.adapter().name());
      json.writeStringProperty("sha256", injection.adapter().sha256());
      json.writeEndObject();
      json.writeStringProperty("as", injection.name().value());
      json.writeArrayPropertyStart("tensors");
      tensors(json, injection.trainables());
      json.writeEndArray();
      if (!injection.slots().isEmpty()) {
        json.writeArrayPropertyStart(SLOTS);
        injection.slots().forEach(json::writeString);
        json.writeEndArray();
      }
      json.writeEndObject();
    }
    return text.toString();
  }

  /**
   * What a record says.
   *
   * @param adapter the adapter's folder
   * @param as the adapter's name in the model
   * @param keys PEFT's name for each of its tensors, by that of the initializer
   */
  record Read(String adapter, String as, SequencedMap<String, String> keys) {}

  /**
   * The records of a model, oldest first.
   *
   * @throws FormatException if one is damaged
   */
  static List<Read> read(OnnxModel model) {
    List<Read> records = new ArrayList<>();
    SequencedMap<String, String> metadata = model.metadata();
    for (int i = 1; metadata.containsKey(KEY + i); i++) {
      String text = String.valueOf(metadata.get(KEY + i));
      records.add(
          read(StrictJson.parse(model.path(), text))
              .orElseThrow(() ->
                  new FormatException(
                      model.path() + ": its record of an inserted adapter is damaged")));
    }
    return List.copyOf(records);
  }

  private static Optional<Read> read(Json json) {
    if (json instanceof Json.Obj(SequencedMap<String, Json> record)
        && record.get("adapter") instanceof Json.Obj(SequencedMap<String, Json> adapter)
        && adapter.get("name") instanceof Json.Str(String name)
        && record.get("as") instanceof Json.Str(String as)
        && record.get("tensors") instanceof Json.Arr(List<Json> tensors)) {
      SequencedMap<String, String> keys = new LinkedHashMap<>();
      for (Json tensor : tensors) {
        if (tensor instanceof Json.Obj(SequencedMap<String, Json> entry)
            && entry.get("name") instanceof Json.Str(String initializer)
            && entry.get("key") instanceof Json.Str(String key)) {
          keys.put(initializer, key);
        }
      }
      return Optional.of(new Read(name, as, keys));
    }
    return Optional.empty();
  }

  private static void tensors(JsonGenerator json, List<Trainable> trainables) {
    for (Trainable trainable : trainables) {
      json.writeStartObject();
      json.writeStringProperty("name", trainable.name());
      json.writeStringProperty("key", trainable.key());
      json.writeEndObject();
    }
  }
}

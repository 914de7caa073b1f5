package dev.graft.inject;

import dev.graft.onnx.OnnxModel;
import java.io.StringWriter;
import java.util.List;
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

  private static void tensors(JsonGenerator json, List<Trainable> trainables) {
    for (Trainable trainable : trainables) {
      json.writeStartObject();
      json.writeStringProperty("name", trainable.name());
      json.writeStringProperty("key", trainable.key());
      json.writeEndObject();
    }
  }
}

package dev.graft.fold;

import dev.graft.fold.Provenance.DataFileRecord;
import dev.graft.fold.Provenance.PartRecord;
import dev.graft.fold.Provenance.TensorRecord;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * A {@link Provenance} as JSON. It is written field by field, because Jackson's data binding takes
 * 50 ms to get ready and every merge writes one; reading is rare.
 */
final class ProvenanceJson {

  private static final JsonFactory FACTORY = new JsonFactory();

  private ProvenanceJson() {}

  static Provenance read(String json) throws JacksonException {
    return JsonBinding.MAPPER.readValue(json, Provenance.class);
  }

  /** One line in UTF-8, the fields in the order of the records. */
  static byte[] write(Provenance provenance) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = FACTORY.createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      json.writeNumberProperty("schema", provenance.schema());
      json.writeStringProperty("tool", provenance.tool());
      json.writeObjectPropertyStart("adapter");
      json.writeStringProperty("name", provenance.adapter().name());
      json.writeStringProperty("sha256", provenance.adapter().sha256());
      json.writeNumberProperty("weight", provenance.adapter().weight());
      json.writeEndObject();
      json.writeObjectPropertyStart("base");
      json.writeStringProperty("skeletonSha256", provenance.base().skeletonSha256());
      json.writeArrayPropertyStart("dataFiles");
      provenance.base().dataFiles().forEach(file -> dataFile(json, file));
      json.writeEndArray();
      json.writeEndObject();
      json.writeArrayPropertyStart("tensors");
      provenance.tensors().forEach(tensor -> tensor(json, tensor));
      json.writeEndArray();
      json.writeArrayPropertyStart("graph");
      provenance.graph().forEach(change -> change(json, change));
      json.writeEndArray();
      json.writeEndObject();
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void dataFile(JsonGenerator json, DataFileRecord file) {
    json.writeStartObject();
    json.writeStringProperty("location", file.location());
    json.writeNumberProperty("length", file.length());
    json.writeEndObject();
  }

  private static void tensor(JsonGenerator json, TensorRecord tensor) {
    json.writeStartObject();
    json.writeStringProperty("name", tensor.name());
    json.writeArrayPropertyStart("parts");
    tensor.parts().forEach(part -> part(json, part));
    json.writeEndArray();
    tensor.before().ifPresent(hash -> json.writeStringProperty("before", hash));
    json.writeStringProperty("after", tensor.after());
    json.writeEndObject();
  }

  private static void part(JsonGenerator json, PartRecord part) {
    json.writeStartObject();
    json.writeStringProperty("target", part.target());
    json.writeStringProperty("kind", part.kind());
    json.writeNumberProperty("scale", part.scale());
    json.writeEndObject();
  }

  private static void change(JsonGenerator json, GraphChange change) {
    json.writeStartObject();
    json.writeStringProperty("kind", change.kind());
    json.writeStringProperty("name", change.name());
    json.writeStringProperty("detail", change.detail());
    json.writeEndObject();
  }
}

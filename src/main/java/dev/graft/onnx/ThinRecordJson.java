package dev.graft.onnx;

import dev.graft.onnx.ThinRecord.BaseFile;
import dev.graft.onnx.ThinRecord.FileLayout;
import dev.graft.onnx.ThinRecord.Witness;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * A {@link ThinRecord} as JSON, written field by field because every thin merge writes one and
 * Jackson's data binding takes long to get ready.
 */
final class ThinRecordJson {

  private static final JsonFactory FACTORY = new JsonFactory();

  /** Loaded only where a record is read. */
  private static final class Binding {
    static final JsonMapper MAPPER =
        JsonMapper.builder()
            .enable(
                DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES,
                DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .build();
  }

  private ThinRecordJson() {}

  static @Nullable ThinRecord read(String json) throws JacksonException {
    return Binding.MAPPER.readValue(json, ThinRecord.class);
  }

  static byte[] write(ThinRecord thin) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = FACTORY.createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      json.writeNumberProperty("schema", thin.schema());
      base(json, thin.base());
      json.writeObjectPropertyStart("data");
      json.writeStringProperty("location", thin.data().location());
      json.writeNumberProperty("length", thin.data().length());
      json.writeNumberProperty("literalsOffset", thin.data().literalsOffset());
      json.writeStringProperty("literalsSha256", thin.data().literalsSha256());
      json.writeEndObject();
      json.writeArrayPropertyStart("witnesses");
      thin.witnesses().forEach(witness -> witness(json, witness));
      json.writeEndArray();
      json.writeArrayPropertyStart("layout");
      thin.layout().forEach(file -> layout(json, file));
      json.writeEndArray();
      json.writeEndObject();
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void base(JsonGenerator json, ThinRecord.BaseModel base) {
    json.writeObjectPropertyStart("base");
    json.writeStringProperty("location", base.location());
    json.writeNumberProperty("length", base.length());
    json.writeStringProperty("skeletonSha256", base.skeletonSha256());
    json.writeArrayPropertyStart("files");
    for (BaseFile file : base.files()) {
      json.writeStartObject();
      json.writeStringProperty("name", file.name());
      json.writeStringProperty("location", file.location());
      json.writeNumberProperty("length", file.length());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private static void witness(JsonGenerator json, Witness witness) {
    json.writeStartObject();
    json.writeNumberProperty("file", witness.file());
    json.writeNumberProperty("offset", witness.offset());
    json.writeNumberProperty("length", witness.length());
    json.writeStringProperty("sha256", witness.sha256());
    json.writeEndObject();
  }

  private static void layout(JsonGenerator json, FileLayout file) {
    json.writeStartObject();
    json.writeStringProperty("location", file.location());
    json.writeArrayPropertyStart("pieces");
    for (var piece : file.pieces()) {
      json.writeStartArray();
      piece.forEach(json::writeNumber);
      json.writeEndArray();
    }
    json.writeEndArray();
    json.writeEndObject();
  }
}

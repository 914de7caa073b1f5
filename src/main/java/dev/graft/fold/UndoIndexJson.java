package dev.graft.fold;

import dev.graft.fold.UndoIndex.AdapterTensor;
import dev.graft.fold.UndoIndex.BaseFile;
import dev.graft.fold.UndoIndex.PartEntry;
import dev.graft.fold.UndoIndex.Run;
import dev.graft.fold.UndoIndex.TensorEntry;
import java.io.ByteArrayOutputStream;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * An {@link UndoIndex} as JSON, written field by field for the reason of {@link ProvenanceJson}.
 */
final class UndoIndexJson {

  private static final JsonFactory FACTORY = new JsonFactory();

  private final JsonGenerator json;

  private UndoIndexJson(JsonGenerator json) {
    this.json = json;
  }

  static UndoIndex read(byte[] bytes) throws JacksonException {
    return JsonBinding.STRICT.readValue(bytes, UndoIndex.class);
  }

  static byte[] write(UndoIndex index) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = FACTORY.createGenerator(ObjectWriteContext.empty(), bytes)) {
      new UndoIndexJson(json).index(index);
    }
    return bytes.toByteArray();
  }

  private void index(UndoIndex index) {
    json.writeStartObject();
    json.writeNumberProperty("merge", index.merge());
    json.writeStringProperty("provenanceSha256", index.provenanceSha256());
    json.writeArrayPropertyStart("merged");
    index
        .merged()
        .forEach(file -> {
          json.writeStartObject();
          json.writeStringProperty("location", file.location());
          json.writeNumberProperty("length", file.length());
          json.writeEndObject();
        });
    json.writeEndArray();
    json.writeArrayPropertyStart("base");
    index.base().forEach(this::base);
    json.writeEndArray();
    json.writeArrayPropertyStart("tensors");
    index.tensors().forEach(this::tensor);
    json.writeEndArray();
    json.writeObjectPropertyStart("literals");
    json.writeNumberProperty("offset", index.literals().offset());
    json.writeNumberProperty("length", index.literals().length());
    numbers("stored", index.literals().stored());
    json.writeEndObject();
    adapter(index.adapter());
    run("earlier", index.earlier());
    json.writeEndObject();
  }

  private void base(BaseFile file) {
    json.writeStartObject();
    json.writeStringProperty("location", file.location());
    json.writeNumberProperty("length", file.length());
    json.writeArrayPropertyStart("pieces");
    file.pieces().forEach(this::numbers);
    json.writeEndArray();
    json.writeEndObject();
  }

  private void tensor(TensorEntry tensor) {
    json.writeStartObject();
    json.writeStringProperty("name", tensor.name());
    json.writeStringProperty("dtype", tensor.dtype().name());
    json.writeNumberProperty("rowLength", tensor.rowLength());
    json.writeStringProperty("kind", tensor.kind().name());
    json.writeObjectPropertyStart("place");
    json.writeNumberProperty("file", tensor.place().file());
    json.writeNumberProperty("offset", tensor.place().offset());
    json.writeNumberProperty("length", tensor.place().length());
    json.writeEndObject();
    json.writeStringProperty("before", tensor.before());
    json.writeArrayPropertyStart("parts");
    tensor.parts().forEach(this::part);
    json.writeEndArray();
    json.writeObjectPropertyStart("kept");
    json.writeNumberProperty("offset", tensor.kept().offset());
    numbers("runs", tensor.kept().runs());
    json.writeArrayPropertyStart("factors");
    tensor.kept().factors().forEach(this::run);
    json.writeEndArray();
    json.writeEndObject();
    json.writeEndObject();
  }

  private void part(PartEntry part) {
    json.writeStartObject();
    json.writeStringProperty("kind", part.kind());
    json.writeNumberProperty("a", part.a());
    json.writeNumberProperty("b", part.b());
    numbers("blocks", part.blocks());
    numbers("outputs", part.outputs());
    json.writeNumberProperty("scaleBits", part.scaleBits());
    json.writeStringProperty("layout", part.layout().name());
    json.writeStringProperty("axis", part.axis().name());
    numbers("region", part.region());
    json.writeEndObject();
  }

  private void adapter(UndoIndex.AdapterEntry adapter) {
    json.writeObjectPropertyStart("adapter");
    json.writeStringProperty("name", adapter.name());
    json.writeStringProperty("sha256", adapter.sha256());
    json.writeBooleanProperty("stored", adapter.stored());
    json.writeArrayPropertyStart("tensors");
    for (AdapterTensor tensor : adapter.tensors()) {
      json.writeStartObject();
      json.writeStringProperty("name", tensor.name());
      json.writeStringProperty("dtype", tensor.dtype().name());
      numbers("shape", tensor.shape());
      json.writeNumberProperty("offset", tensor.offset());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }

  private void run(String name, Run run) {
    json.writeName(name);
    run(run);
  }

  private void run(Run run) {
    json.writeStartObject();
    json.writeNumberProperty("offset", run.offset());
    json.writeNumberProperty("length", run.length());
    json.writeEndObject();
  }

  private void numbers(String name, List<? extends Number> numbers) {
    json.writeName(name);
    numbers(numbers);
  }

  private void numbers(List<? extends Number> numbers) {
    json.writeStartArray();
    numbers.forEach(number -> json.writeNumber(number.longValue()));
    json.writeEndArray();
  }
}

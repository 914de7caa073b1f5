package dev.graft.train;

import dev.graft.io.AtomicOutput;
import dev.graft.io.OutputFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;
import tools.jackson.databind.json.JsonMapper;

/** Writes small text files. */
final class TextFile {

  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private TextFile() {}

  /** Makes the text the contents of a file. */
  static void write(OutputFile file, String text) {
    file.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), 0);
  }

  /** Writes a file of JSON, whole or not at all. */
  static void writeJson(Path path, Object value) {
    try (AtomicOutput output = AtomicOutput.begin(path)) {
      write(output.main(), json(value));
      output.commit();
    }
  }

  /** Maps, lists, records and numbers as JSON, the way Python indents it. */
  static String json(Object value) {
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter()
            .withArrayIndenter(new DefaultIndenter("  ", "\n"))
            .withObjectIndenter(new DefaultIndenter("  ", "\n"));
    return MAPPER.writer().with(printer).writeValueAsString(value) + "\n";
  }
}

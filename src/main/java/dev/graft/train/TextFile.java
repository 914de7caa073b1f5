package dev.graft.train;

import dev.graft.io.AtomicOutput;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;
import tools.jackson.databind.json.JsonMapper;

/** Writes small text files, whole or not at all. */
final class TextFile {

  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private TextFile() {}

  static void write(Path path, String text) {
    try (AtomicOutput output = AtomicOutput.begin(path)) {
      output.main().write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)), 0);
      output.commit();
    }
  }

  /** Writes maps, lists, records and numbers as JSON, the way Python indents it. */
  static void writeJson(Path path, Object value) {
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter()
            .withArrayIndenter(new DefaultIndenter("  ", "\n"))
            .withObjectIndenter(new DefaultIndenter("  ", "\n"));
    write(path, MAPPER.writer().with(printer).writeValueAsString(value) + "\n");
  }
}

package dev.graft.cli;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.io.PrintWriter;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Writes reports, which are records, as JSON. What is absent is left out. */
final class Json {

  /** Version of all reports; it rises when a field goes or changes its meaning. */
  static final int SCHEMA = 1;

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .changeDefaultPropertyInclusion(
              value -> value.withValueInclusion(JsonInclude.Include.NON_ABSENT))
          .build();

  private Json() {}

  static String text(Record report) {
    return MAPPER.writeValueAsString(report);
  }

  static void print(PrintWriter out, Record report) {
    out.println(text(report));
    out.flush();
  }
}

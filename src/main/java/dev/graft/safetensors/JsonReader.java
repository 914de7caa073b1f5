package dev.graft.safetensors;

import dev.graft.error.FormatException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/** Makes a tree of what a parser reads. */
final class JsonReader {

  /** Two characters make a value that takes a hundred bytes; as many as tensors in a header. */
  private static final int MAX_VALUES = HeaderReader.MAX_TENSORS;

  private final String where;
  private final JsonParser parser;
  private int values;

  JsonReader(String where, JsonParser parser) {
    this.where = where;
    this.parser = parser;
  }

  /** The value that the parser stands on; the depth is bounded by the parser. */
  Json value() {
    if (++values > MAX_VALUES) {
      throw new FormatException(
          where
              + ": holds more than "
              + MAX_VALUES
              + " values, up to character "
              + StrictJson.offset(parser));
    }
    return switch (parser.currentToken()) {
      case START_OBJECT -> object();
      case START_ARRAY -> array();
      case VALUE_STRING -> new Json.Str(parser.getString());
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new Json.Num(parser.getString());
      case VALUE_TRUE -> Json.Bool.TRUE;
      case VALUE_FALSE -> Json.Bool.FALSE;
      default -> Json.Null.NULL;
    };
  }

  private Json.Obj object() {
    SequencedMap<String, Json> members = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      members.put(name, value());
    }
    return new Json.Obj(members);
  }

  private Json.Arr array() {
    List<Json> items = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      items.add(value());
    }
    return new Json.Arr(items);
  }
}

package dev.graft.safetensors;

import dev.graft.error.FormatException;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * Turns the JSON of a safetensors header into entries; where they lie is for {@link HeaderLayout}
 * to check.
 */
final class HeaderReader {

  // A file per layer or expert has a few thousand tensors; a header of 100 MB could name a million.
  static final int MAX_TENSORS = 1 << 18;
  static final int MAX_RANK = 64;
  private static final int MAX_METADATA_CHARS = 16 << 20;
  private static final int MAX_METADATA_ENTRIES = 1 << 16;

  /** Names, values and brackets of fields that the format does not know, in the whole header. */
  private static final int MAX_IGNORED = 1 << 16;

  /** One tensor as the header states it, offsets relative to the end of the header. */
  record Entry(String name, DType dtype, Shape shape, long begin, long end) {}

  /** What a header says. */
  record Header(SequencedMap<String, String> metadata, List<Entry> entries) {}

  private final String where;
  private final JsonParser parser;
  private final SequencedMap<String, String> metadata = new LinkedHashMap<>();
  private final List<Entry> entries = new ArrayList<>();
  private int ignored;

  private HeaderReader(String where, JsonParser parser) {
    this.where = where;
    this.parser = parser;
  }

  /** Reads the header object that the parser stands on. */
  static Header read(String where, JsonParser parser) {
    return new HeaderReader(where, parser).header();
  }

  private Header header() {
    expect(JsonToken.START_OBJECT, "header", "an object");
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      if (name.equals("__metadata__")) {
        readMetadata();
      } else {
        if (entries.size() == MAX_TENSORS) {
          throw new FormatException(where + ": lists more than " + MAX_TENSORS + " tensors");
        }
        entries.add(entry(name));
      }
    }
    return new Header(metadata, entries);
  }

  private void readMetadata() {
    expect(JsonToken.START_OBJECT, "__metadata__", "an object of strings");
    long chars = 0;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      parser.nextToken();
      expect(JsonToken.VALUE_STRING, "__metadata__ " + StrictJson.excerpt(key), "a string");
      String value = parser.getString();
      chars += key.length() + value.length();
      if (chars > MAX_METADATA_CHARS) {
        throw new FormatException(
            where + ": __metadata__ holds more than " + MAX_METADATA_CHARS + " characters");
      }
      metadata.put(key, value);
      if (metadata.size() > MAX_METADATA_ENTRIES) {
        throw new FormatException(
            where + ": __metadata__ has more than " + MAX_METADATA_ENTRIES + " entries");
      }
    }
  }

  private Entry entry(String name) {
    String what = "tensor " + StrictJson.excerpt(name);
    expect(JsonToken.START_OBJECT, what, "an object with dtype, shape and data_offsets");
    DType dtype = null;
    long[] shape = null;
    long[] offsets = null;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String field = parser.currentName();
      parser.nextToken();
      switch (field) {
        case "dtype" -> dtype = dtype(what);
        case "shape" -> shape = integers(what + ": shape", MAX_RANK);
        case "data_offsets" -> offsets = integers(what + ": data_offsets", 2);
        default -> ignore();
      }
    }
    return entry(
        name,
        require(dtype, what, "dtype"),
        require(shape, what, "shape"),
        require(offsets, what, "data_offsets"));
  }

  /** Skips a value, which costs memory too: the parser keeps its names, to find one twice. */
  private void ignore() {
    int depth = 0;
    do {
      if (++ignored > MAX_IGNORED) {
        throw new FormatException(
            where + ": has too many fields other than dtype, shape and data_offsets");
      }
      if (parser.currentToken().isStructStart()) {
        depth++;
      } else if (parser.currentToken().isStructEnd()) {
        depth--;
      }
    } while (depth > 0 && parser.nextToken() != null);
  }

  private Entry entry(String name, DType dtype, long[] dims, long[] offsets) {
    String what = "tensor " + StrictJson.excerpt(name);
    if (offsets.length != 2 || offsets[0] > offsets[1]) {
      throw new FormatException(
          where
              + ": "
              + what
              + ": data_offsets must be two numbers [begin, end], begin not after end");
    }
    try {
      return new Entry(name, dtype, Shape.of(dims), offsets[0], offsets[1]);
    } catch (ArithmeticException e) {
      throw new FormatException(where + ": " + what + ": shape has more elements than 2^63", e);
    }
  }

  private <T> T require(@Nullable T value, String what, String field) {
    if (value == null) {
      throw new FormatException(where + ": " + what + " has no " + field);
    }
    return value;
  }

  private DType dtype(String what) {
    expect(JsonToken.VALUE_STRING, what + ": dtype", "a string");
    String name = parser.getString();
    return DType.ofSafetensors(name)
        .orElseThrow(() ->
            new FormatException(
                where + ": " + what + ": dtype " + StrictJson.excerpt(name) + " is unknown"));
  }

  private long[] integers(String what, int most) {
    expect(JsonToken.START_ARRAY, what, "a list of non-negative integers");
    List<Long> values = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      expect(JsonToken.VALUE_NUMBER_INT, what, "a list of non-negative integers");
      String digits = parser.getString();
      if (digits.startsWith("-") || values.size() == most) {
        throw new FormatException(
            where
                + ": "
                + what
                + ": "
                + StrictJson.excerpt(digits)
                + " is negative, or the list has more than "
                + most
                + " items");
      }
      values.add(parser.getLongValue());
    }
    return values.stream().mapToLong(Long::longValue).toArray();
  }

  private void expect(JsonToken wanted, String what, String description) {
    if (parser.currentToken() != wanted) {
      throw new FormatException(
          where
              + ": "
              + what
              + " must be "
              + description
              + ", found "
              + parser.currentToken()
              + " at character "
              + StrictJson.offset(parser));
    }
  }
}

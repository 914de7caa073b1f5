package dev.graft.safetensors;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/**
 * An immutable JSON value. Numbers keep their text, so that an integer is never mistaken for a
 * fraction and a huge exponent costs nothing until somebody asks for its value.
 */
public sealed interface Json {

  /** What a reader of an error message would call this value, with a short excerpt. */
  String describe();

  /**
   * An object; members keep the order of the file.
   *
   * @param members values by key
   */
  record Obj(SequencedMap<String, Json> members) implements Json {
    /** Copies the members. */
    public Obj {
      members = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(members));
    }

    @Override
    public String describe() {
      return "an object with " + members.size() + " members";
    }

    @Override
    public String toString() {
      return members.entrySet().stream()
          .map(e -> StrictJson.quote(e.getKey()) + ": " + e.getValue())
          .collect(Collectors.joining(", ", "{", "}"));
    }
  }

  /**
   * An array.
   *
   * @param items the items in order
   */
  record Arr(List<Json> items) implements Json {
    /** Copies the items. */
    public Arr {
      items = List.copyOf(items);
    }

    @Override
    public String describe() {
      return "a list of " + items.size();
    }

    @Override
    public String toString() {
      return items.stream().map(Json::toString).collect(Collectors.joining(", ", "[", "]"));
    }
  }

  /**
   * A string.
   *
   * @param value its characters, escapes resolved
   */
  record Str(String value) implements Json {
    @Override
    public String describe() {
      return "the string " + StrictJson.excerpt(value);
    }

    @Override
    public String toString() {
      return StrictJson.quote(value);
    }
  }

  /**
   * A number.
   *
   * @param text its digits as the file has them
   */
  record Num(String text) implements Json {
    /** Whether it is written without fraction and exponent. */
    public boolean isInteger() {
      return text.chars().allMatch(c -> c == '-' || Character.isDigit(c));
    }

    /** The value of an integer, empty for a fraction or where it does not fit in a long. */
    public OptionalLong toLong() {
      if (!isInteger()) {
        return OptionalLong.empty();
      }
      try {
        return OptionalLong.of(Long.parseLong(text));
      } catch (NumberFormatException tooLarge) {
        return OptionalLong.empty();
      }
    }

    /** The nearest double, infinite where it is too large. */
    public double toDouble() {
      return Double.parseDouble(text);
    }

    @Override
    public String describe() {
      return "the number " + StrictJson.excerpt(text);
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /** True or false. */
  enum Bool implements Json {
    TRUE,
    FALSE;

    @Override
    public String describe() {
      return toString();
    }

    @Override
    public String toString() {
      return this == TRUE ? "true" : "false";
    }
  }

  /** Nothing. */
  enum Null implements Json {
    NULL;

    @Override
    public String describe() {
      return "null";
    }

    @Override
    public String toString() {
      return "null";
    }
  }
}

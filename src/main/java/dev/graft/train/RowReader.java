package dev.graft.train;

import dev.graft.error.FormatException;
import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Makes a row of a line of JSON. */
final class RowReader {

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final Set<String> KNOWN =
      Set.of("input_ids", "attention_mask", "token_type_ids", "labels", "label");

  private final Task task;
  private final Set<String> ignored = new TreeSet<>();

  RowReader(Task task) {
    this.task = task;
  }

  /** Fields of the rows so far that nothing was done with. */
  Set<String> ignored() {
    return ignored;
  }

  /**
   * Reads a line.
   *
   * @param where the file and line, for messages
   * @throws FormatException if it is no row for the task
   */
  Row read(String where, long line, String json) {
    JsonNode node = parse(where, json);
    long[] ids = integers(where, node, "input_ids").orElseThrow(() -> untokenised(where, node));
    if (ids.length == 0) {
      throw new FormatException(where + ": input_ids is empty");
    }
    if (Arrays.stream(ids).anyMatch(id -> id < 0)) {
      throw new FormatException(where + ": input_ids holds a negative number");
    }
    long[] mask = integers(where, node, "attention_mask").orElseGet(() -> ones(ids.length));
    Optional<long[]> types = integers(where, node, "token_type_ids");
    requireLength(where, "attention_mask", mask.length, ids.length);
    types.ifPresent(t -> requireLength(where, "token_type_ids", t.length, ids.length));
    if (Arrays.stream(mask).anyMatch(m -> m != 0 && m != 1)) {
      throw new FormatException(where + ": attention_mask holds something other than 0 and 1");
    }
    node.propertyNames().stream().filter(name -> !KNOWN.contains(name)).forEach(ignored::add);
    return new Row(line, ids, mask, types, label(where, node, ids.length));
  }

  private static JsonNode parse(String where, String json) {
    try {
      JsonNode node = MAPPER.readTree(json);
      if (node.isObject()) {
        return node;
      }
    } catch (JacksonException e) {
      throw new FormatException(where + ": is not JSON: " + reason(e), e);
    }
    throw new FormatException(where + ": is not a JSON object");
  }

  /**
   * Where an open list began, Jackson tells in words about its own settings, so that is cut off.
   */
  private static String reason(JacksonException e) {
    return e.getOriginalMessage().replaceFirst("(?s) \\(start marker at .*", "");
  }

  private static FormatException untokenised(String where, JsonNode node) {
    return new FormatException(
        "%s: has no input_ids but %s; rows must be tokenised, which tools/tokenise.py does"
            .formatted(where, node.propertyNames()));
  }

  private RowLabel label(String where, JsonNode node, int length) {
    if (task == Task.SEQ_CLS) {
      return rowLabel(where, node);
    }
    long[] labels =
        integers(where, node, "labels")
            .orElseThrow(() ->
                new FormatException(
                    "%s: has no labels, which the task %s needs for every token"
                        .formatted(where, task.option())));
    requireLength(where, "labels", labels.length, length);
    return new RowLabel.Tokens(labels);
  }

  private static RowLabel rowLabel(String where, JsonNode node) {
    JsonNode label = node.has("label") ? node.get("label") : node.get("labels");
    if (label == null || label.isNull()) {
      throw new FormatException(where + ": has no label");
    }
    if (label.isIntegralNumber() && label.canConvertToLong()) {
      return new RowLabel.Category(label.longValue());
    }
    if (label.isNumber()) {
      return new RowLabel.Values(new float[] {finite(where, label)});
    }
    if (!label.isArray() || label.isEmpty()) {
      throw new FormatException(where + ": its label is neither a number nor a list of numbers");
    }
    float[] values = new float[label.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = finite(where, label.get(i));
    }
    return new RowLabel.Values(values);
  }

  private static float finite(String where, JsonNode number) {
    float value = number.isNumber() ? Float.parseFloat(number.asString()) : Float.NaN;
    if (!Float.isFinite(value)) {
      throw new FormatException(where + ": a label is no finite number: " + number);
    }
    return value;
  }

  private static Optional<long[]> integers(String where, JsonNode node, String name) {
    JsonNode list = node.get(name);
    if (list == null || list.isNull()) {
      return Optional.empty();
    }
    if (!list.isArray()) {
      throw new FormatException(where + ": " + name + " is no list");
    }
    long[] values = new long[list.size()];
    for (int i = 0; i < values.length; i++) {
      JsonNode item = list.get(i);
      if (!item.isIntegralNumber() || !item.canConvertToLong()) {
        throw new FormatException(
            "%s: %s[%d] is no whole number: %s".formatted(where, name, i, item));
      }
      values[i] = item.longValue();
    }
    return Optional.of(values);
  }

  private static void requireLength(String where, String name, int found, int expected) {
    if (found != expected) {
      throw new FormatException(
          "%s: %s has %d entries, input_ids %d".formatted(where, name, found, expected));
    }
  }

  private static long[] ones(int length) {
    long[] ones = new long[length];
    Arrays.fill(ones, 1);
    return ones;
  }
}

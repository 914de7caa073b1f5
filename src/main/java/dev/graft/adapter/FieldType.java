package dev.graft.adapter;

import dev.graft.safetensors.Json;
import java.util.List;
import java.util.function.Predicate;

/** What JSON value a field of {@code adapter_config.json} may hold. */
enum FieldType {
  STRING("a string", Json.Str.class::isInstance),
  FLAG("true or false", Json.Bool.class::isInstance),
  INTEGER("an integer", FieldType::isInteger),
  RANK("an integer from 1 to 2^31 - 1", FieldType::isRank),
  NUMBER("a finite number", FieldType::isFinite),
  OBJECT("an object", Json.Obj.class::isInstance),
  STRINGS("a list of strings", FieldType::isStrings),
  INTEGERS("a list of integers", FieldType::isIntegers),
  BIAS_MODE("\"none\", \"all\" or \"lora_only\"", FieldType::isBiasMode),
  STRING_OR_STRINGS("a string or a list of strings", v -> v instanceof Json.Str || isStrings(v)),
  INTEGER_OR_INTEGERS("an integer or a list of integers", v -> isInteger(v) || isIntegers(v)),
  FLAG_OR_STRING("true, false or a string", v -> v instanceof Json.Bool || v instanceof Json.Str),
  RANK_BY_PATTERN("an object of positive integers", v -> isObjectOf(v, FieldType::isRank)),
  NUMBER_BY_PATTERN("an object of finite numbers", v -> isObjectOf(v, FieldType::isFinite)),
  INTEGERS_OR_BY_MODULE(
      "a list of integers, or an object of such lists by module",
      v -> isIntegers(v) || isObjectOf(v, FieldType::isIntegers)),
  RANGES("a list of pairs of integers", FieldType::isRanges);

  private final String description;

  // Every predicate above is a function without state.
  @SuppressWarnings("ImmutableEnumChecker")
  private final Predicate<Json> test;

  FieldType(String description, Predicate<Json> test) {
    this.description = description;
    this.test = test;
  }

  /** The expected value in words. */
  String description() {
    return description;
  }

  boolean accepts(Json value) {
    return test.test(value);
  }

  private static boolean isInteger(Json value) {
    return value instanceof Json.Num number && number.toLong().isPresent();
  }

  private static boolean isRank(Json value) {
    return value instanceof Json.Num number
        && number.toLong().orElse(0) >= 1
        && number.toLong().orElse(0) <= Integer.MAX_VALUE;
  }

  private static boolean isFinite(Json value) {
    return value instanceof Json.Num number && Double.isFinite(number.toDouble());
  }

  private static boolean isBiasMode(Json value) {
    return value instanceof Json.Str(String mode)
        && List.of("none", "all", "lora_only").contains(mode);
  }

  private static boolean isStrings(Json value) {
    return value instanceof Json.Arr(List<Json> items)
        && items.stream().allMatch(Json.Str.class::isInstance);
  }

  private static boolean isIntegers(Json value) {
    return value instanceof Json.Arr(List<Json> items)
        && items.stream().allMatch(FieldType::isInteger);
  }

  private static boolean isRanges(Json value) {
    return value instanceof Json.Arr(List<Json> items)
        && items.stream().allMatch(i -> isIntegers(i) && ((Json.Arr) i).items().size() == 2);
  }

  private static boolean isObjectOf(Json value, Predicate<Json> each) {
    return value instanceof Json.Obj object && object.members().values().stream().allMatch(each);
  }
}

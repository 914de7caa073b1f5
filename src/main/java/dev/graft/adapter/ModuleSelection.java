package dev.graft.adapter;

import dev.graft.safetensors.Json;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which modules a configuration targets, by PEFT's rules: {@code target_modules} names modules or
 * the ends of their names, or is an expression for whole names; {@code exclude_modules} goes by the
 * same rules and wins; what {@code modules_to_save} names is never targeted; {@code
 * layers_to_transform} narrows a list of names, not an expression.
 */
public final class ModuleSelection {

  private static final long STEPS_PER_NAME = 20_000_000;

  /** The first number that is a part of a name, with at least two parts before it. */
  private static final Pattern ANY_LAYER = Pattern.compile("^[^.]+(?:\\.[^.]+)+?\\.(\\d+)\\.");

  private final Predicate<String> targeted;
  private final Predicate<String> excluded;
  private final List<String> saved;
  private final Optional<List<Integer>> layers;
  private final List<String> layerNames;

  private ModuleSelection(AdapterConfig config) {
    this.targeted = names(config, ConfigField.TARGET_MODULES);
    this.excluded = names(config, ConfigField.EXCLUDE_MODULES);
    this.saved = config.modulesToSave();
    this.layers = layers(config);
    this.layerNames = texts(config, ConfigField.LAYERS_PATTERN);
  }

  /** The selection of a configuration. */
  public static ModuleSelection of(AdapterConfig config) {
    return new ModuleSelection(config);
  }

  /**
   * Whether a module gets a branch.
   *
   * @param module its full name
   * @throws dev.graft.error.FormatException if an expression needs too many steps
   */
  public boolean selects(String module) {
    return !excluded.test(module) && !isSaved(module) && targeted.test(module);
  }

  /** Whether a module, or one around it, is trained whole. */
  public boolean isSaved(String module) {
    return saved.stream().anyMatch(name -> isSavedAs(module, name));
  }

  /** Whether an entry of {@code modules_to_save} names a module, or one around it. */
  public boolean isSavedAs(String module, String name) {
    return ("." + module + ".").contains("." + name + ".");
  }

  private Predicate<String> names(AdapterConfig config, ConfigField field) {
    Json value = config.value(field).orElse(Json.Null.NULL);
    if (value instanceof Json.Str(String text)) {
      ModulePattern pattern = ModulePattern.of(text);
      return module -> pattern.matchesAll(module, new StepBudget(STEPS_PER_NAME));
    }
    List<String> names = texts(config, field);
    boolean narrowed = field == ConfigField.TARGET_MODULES;
    return module ->
        names.contains(module)
            || (names.stream().anyMatch(name -> module.endsWith("." + name))
                && (!narrowed || isInLayers(module)));
  }

  private static List<String> texts(AdapterConfig config, ConfigField field) {
    return switch (config.value(field).orElse(Json.Null.NULL)) {
      case Json.Str(String text) -> List.of(text);
      case Json.Arr list ->
          list.items().stream()
              .filter(Json.Str.class::isInstance)
              .map(item -> ((Json.Str) item).value())
              .toList();
      default -> List.of();
    };
  }

  private static Optional<List<Integer>> layers(AdapterConfig config) {
    return switch (config.value(ConfigField.LAYERS_TO_TRANSFORM).orElse(Json.Null.NULL)) {
      case Json.Num number -> Optional.of(List.of((int) number.toDouble()));
      case Json.Arr list when !list.items().isEmpty() ->
          Optional.of(
              list.items().stream()
                  .filter(Json.Num.class::isInstance)
                  .map(item -> (int) ((Json.Num) item).toDouble())
                  .toList());
      default -> Optional.empty();
    };
  }

  private boolean isInLayers(String module) {
    if (layers.isEmpty()) {
      return true;
    }
    OptionalInt layer = layer(module);
    return layer.isPresent() && layers.get().contains(layer.getAsInt());
  }

  private OptionalInt layer(String module) {
    if (layerNames.isEmpty()) {
      return index(ANY_LAYER, module);
    }
    return layerNames.stream()
        .map(name -> Pattern.compile("(?:^|\\.)" + Pattern.quote(name) + "\\.(\\d+)\\."))
        .map(pattern -> index(pattern, module))
        .filter(OptionalInt::isPresent)
        .findFirst()
        .orElse(OptionalInt.empty());
  }

  private static OptionalInt index(Pattern pattern, String module) {
    Matcher matcher = pattern.matcher(module);
    return matcher.find() && matcher.group(1).length() < 10
        ? OptionalInt.of(Integer.parseInt(matcher.group(1)))
        : OptionalInt.empty();
  }
}

package dev.graft.cli;

import dev.graft.adapter.NewConfig;
import dev.graft.error.UsageException;
import dev.graft.inject.FreshAdapter;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Function;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What a new adapter is to be like, in PEFT's words. */
final class FreshOptions {

  private static final String LIST = "NAME,NAME…";

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command = CommandSpec.create();

  @Option(
      names = "--target-modules",
      paramLabel = "LIST|REGEX|all-linear",
      description =
          "Makes a new adapter for these modules: names or the ends of names with commas between, one regular"
              + " expression for whole names, or all-linear, which leaves the output head out.")
  private Optional<String> targetModules = Optional.empty();

  @Option(
      names = "--exclude-modules",
      paramLabel = "LIST|REGEX",
      description = "Modules that get no branch all the same.")
  private Optional<String> excludeModules = Optional.empty();

  @Option(names = "--r", paramLabel = "N", description = "The rank; 8 by default.")
  private int r = 8;

  @Option(
      names = "--lora-alpha",
      paramLabel = "X",
      description = "The scale times r; 8 by default.")
  private double loraAlpha = 8;

  @Option(names = "--use-rslora", description = "The scale is alpha / sqrt(r), not alpha / r.")
  private boolean useRslora;

  @Option(names = "--use-dora", description = "Modules learn the lengths of their weights as well.")
  private boolean useDora;

  @Option(
      names = "--rank-pattern",
      paramLabel = "PATTERN=R,…",
      description = "Ranks of their own for some modules.")
  private Optional<String> rankPattern = Optional.empty();

  @Option(
      names = "--alpha-pattern",
      paramLabel = "PATTERN=X,…",
      description = "Alphas of their own for some modules.")
  private Optional<String> alphaPattern = Optional.empty();

  @Option(
      names = "--layers-to-transform",
      paramLabel = "N,N…",
      description = "Only these layers, counted from 0.")
  private Optional<String> layersToTransform = Optional.empty();

  @Option(
      names = "--layers-pattern",
      paramLabel = "NAME",
      description = "What the model calls its list of layers, such as layers or h.")
  private Optional<String> layersPattern = Optional.empty();

  @Option(
      names = "--modules-to-save",
      paramLabel = LIST,
      description = "Modules that are to be trained whole, such as a head.")
  private Optional<String> modulesToSave = Optional.empty();

  @Option(
      names = "--init-lora-weights",
      paramLabel = "true|false|gaussian|orthogonal",
      description = "How A and B begin; true, the default, makes an adapter that does nothing yet.")
  private String initLoraWeights = "true";

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The same seed gives the same adapter; 0 by default.")
  private long seed;

  @Option(
      names = "--adapter-output",
      paramLabel = "DIR",
      description = "Where the new adapter is written; beside the model by default.")
  private Optional<Path> adapterOutput = Optional.empty();

  /** Whether a new adapter is asked for. */
  boolean isSet() {
    return targetModules.isPresent();
  }

  /** One of these options that the command line has, if it has any. */
  Optional<String> given() {
    return command.commandLine().getParseResult().matchedOptions().stream()
        .filter(option ->
            option.userObject() instanceof Field field
                && field.getDeclaringClass() == FreshOptions.class)
        .map(OptionSpec::longestName)
        .findFirst();
  }

  long seed() {
    return seed;
  }

  /** The folder for the adapter; named after the model unless told otherwise. */
  Path folder(Path model) {
    String name = String.valueOf(model.getFileName());
    String stem = name.endsWith(".onnx") ? name.substring(0, name.length() - 5) : name;
    return adapterOutput.orElseGet(() -> model.resolveSibling(stem + "-adapter"));
  }

  /**
   * The configuration.
   *
   * @param adapter knows what all-linear stands for
   */
  NewConfig config(FreshAdapter adapter) {
    NewConfig config =
        NewConfig.defaults().r(r).loraAlpha(loraAlpha).initLoraWeights(initLoraWeights);
    config = targets(config, adapter);
    config = apply(config, excludeModules, FreshOptions::excluded);
    config = useRslora ? config.useRslora() : config;
    config = useDora ? config.useDora() : config;
    config = apply(config, rankPattern, (c, t) -> c.rankPattern(pairs(t, FreshOptions::rank)));
    config = apply(config, alphaPattern, (c, t) -> c.alphaPattern(pairs(t, FreshOptions::alpha)));
    config =
        apply(
            config,
            layersToTransform,
            (c, t) -> c.layersToTransform(names(t).stream().map(FreshOptions::layer).toList()));
    config = apply(config, layersPattern, NewConfig::layersPattern);
    return apply(config, modulesToSave, (c, t) -> c.modulesToSave(names(t)));
  }

  private NewConfig targets(NewConfig config, FreshAdapter adapter) {
    String text = targetModules.orElseThrow();
    if (text.equals(FreshAdapter.ALL_LINEAR)) {
      return config.targetModules(adapter.allLinear());
    }
    return isList(text) ? config.targetModules(names(text)) : config.targetModules(text);
  }

  private static NewConfig excluded(NewConfig config, String text) {
    return isList(text) ? config.excludeModules(names(text)) : config.excludeModules(text);
  }

  /** Changes a configuration by an option's text. */
  private interface Change {
    NewConfig by(NewConfig config, String text);
  }

  private static NewConfig apply(NewConfig config, Optional<String> option, Change change) {
    return option.map(text -> change.by(config, text)).orElse(config);
  }

  /** Names have no other signs than these; an expression for whole names nearly always has. */
  private static boolean isList(String text) {
    return text.chars()
        .allMatch(
            c -> Character.isLetterOrDigit(c) || c == '.' || c == '_' || c == '-' || c == ',');
  }

  private static List<String> names(String text) {
    List<String> names =
        new ArrayList<>(Arrays.stream(text.split(",", -1)).map(String::strip).toList());
    if (names.stream().anyMatch(String::isEmpty)) {
      throw new UsageException("'" + text + "' has an empty name between its commas");
    }
    return names;
  }

  private static <V> SequencedMap<String, V> pairs(String text, Function<String, V> value) {
    SequencedMap<String, V> pairs = new LinkedHashMap<>();
    for (String pair : names(text)) {
      int equals = pair.lastIndexOf('=');
      if (equals < 1) {
        throw new UsageException("'" + pair + "' is not of the form PATTERN=NUMBER");
      }
      pairs.put(pair.substring(0, equals), value.apply(pair.substring(equals + 1)));
    }
    return pairs;
  }

  private static Integer rank(String text) {
    return layer(text);
  }

  private static Integer layer(String text) {
    try {
      return Integer.valueOf(text);
    } catch (NumberFormatException e) {
      throw new UsageException("'" + text + "' is not a whole number");
    }
  }

  private static Double alpha(String text) {
    try {
      return Double.valueOf(text);
    } catch (NumberFormatException e) {
      throw new UsageException("'" + text + "' is not a number");
    }
  }
}

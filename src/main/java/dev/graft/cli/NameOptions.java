package dev.graft.cli;

import dev.graft.error.UsageException;
import dev.graft.match.Binder;
import dev.graft.match.NameMap;
import dev.graft.match.Prefix;
import dev.graft.match.Ties;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** How the adapter's names are joined to the model's where that cannot be derived. */
final class NameOptions {

  @Option(
      names = "--prefix",
      paramLabel = "FROM=TO",
      description =
          "What the adapter's names begin with, and what the model's begin with instead; either may be"
              + " empty: 'bert.=' or '=model.'.")
  private Optional<String> prefix = Optional.empty();

  @Option(
      names = "--map",
      paramLabel = "FILE",
      description = "Joins single names: lines 'adapter.module -> node or weight'.")
  private Optional<Path> map = Optional.empty();

  @Option(
      names = "--tied",
      paramLabel = "active|peft-merge",
      description =
          "What becomes of a weight that embedding and head share: what each had while the adapter was"
              + " active (the default), or what PEFT's merge gives, which changes both.")
  private Optional<String> tied = Optional.empty();

  Binder.Options toOptions() {
    return new Binder.Options(
        prefix.map(Prefix::parse), map.map(NameMap::read).orElse(NameMap.EMPTY), ties());
  }

  private Ties ties() {
    return switch (tied.orElse("active")) {
      case "active" -> Ties.ACTIVE;
      case "peft-merge" -> Ties.PEFT_MERGE;
      default ->
          throw new UsageException(
              "--tied is '" + tied.orElse("") + "', expected active or peft-merge");
    };
  }

  boolean isSet() {
    return prefix.isPresent() || map.isPresent() || tied.isPresent();
  }

  Optional<Path> mapFile() {
    return map;
  }
}

package dev.graft.cli;

import dev.graft.error.UsageException;
import dev.graft.fold.InPlaceUpdate;
import dev.graft.fold.InPlaceUpdate.Mapped;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.Option;

/** Whether a verb changes the model's own files. */
final class InPlaceOptions {

  @Option(
      names = "--in-place",
      description =
          "Not for a running service, which switches by a new file. Change the model's own files by way of a"
              + " journal: whatever happens, it is the old or the new one.")
  private boolean inPlace;

  @Option(
      names = "--force",
      description =
          "In place: although another process has the files mapped. Else: replace files that are in the way.")
  private boolean force;

  boolean isForced() {
    return force;
  }

  boolean isInPlace() {
    return inPlace;
  }

  /** Where the model file will be. */
  Path output(Optional<Path> given, Path model) {
    if (inPlace == given.isPresent()) {
      throw new UsageException(
          inPlace
              ? "--in-place and -o exclude each other"
              : "missing -o OUT, or --in-place to change the model itself");
    }
    return given.orElse(model);
  }

  /** Does a verb's work, with the right to change the model before anything of it is read. */
  int execute(Path model, Function<Optional<InPlaceUpdate>, Integer> work) {
    if (!inPlace) {
      return work.apply(Optional.empty());
    }
    try (InPlaceUpdate update =
        InPlaceUpdate.begin(model, force ? Mapped.ALLOWED : Mapped.REFUSED)) {
      return work.apply(Optional.of(update));
    }
  }
}

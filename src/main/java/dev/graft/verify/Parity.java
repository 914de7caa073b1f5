package dev.graft.verify;

import dev.graft.error.FormatException;
import dev.graft.error.RuntimeFailure;
import dev.graft.error.UnsupportedException;
import dev.graft.runtime.SessionSettings;
import java.lang.foreign.Arena;
import java.nio.file.Path;

/**
 * Runs a model and holds its outputs against another model's or against stored ones. Never more
 * than one model is loaded at a time.
 */
public final class Parity {

  private final SessionSettings settings;
  private final Tolerance tolerance;

  /** Makes a check that runs every model with the same settings. */
  public Parity(SessionSettings settings, Tolerance tolerance) {
    this.settings = settings;
    this.tolerance = tolerance;
  }

  /**
   * Compares the candidate's outputs with the reference.
   *
   * @param candidate the model to check
   * @param reference what its outputs should be
   * @param inputs what to feed it with
   * @return what was found, whether the check holds or not
   * @throws FormatException if a file is missing or damaged, an input is missing or does not fit,
   *     shapes differ, or there is nothing to compare
   * @throws UnsupportedException if an input or output is of a type that cannot be compared
   * @throws RuntimeFailure if ONNX Runtime fails
   */
  public ParityReport compare(Path candidate, Reference reference, Inputs inputs) {
    try (Arena arena = Arena.ofShared()) {
      FeedSource feeds =
          switch (inputs) {
            case Inputs.Stored stored -> new StoredInputs(StoredTensors.open(stored.file(), arena));
            case Inputs.Generated generated -> new GeneratedInputs(generated);
          };
      ModelRunner runner = new ModelRunner(settings, feeds, arena);
      Pairing pairing =
          switch (reference) {
            case Reference.Model model -> Pairing.withModel(candidate, model.file(), runner);
            case Reference.Stored stored ->
                Pairing.withStored(
                    candidate, StoredTensors.open(stored.file(), arena), stored.tensor(), runner);
          };
      return new ParityReport(
          candidate.toString(),
          reference.toString(),
          inputs.toString(),
          pairing.compared(tolerance),
          pairing.missing(),
          pairing.notCompared());
    }
  }
}

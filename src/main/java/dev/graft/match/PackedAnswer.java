package dev.graft.match;

import dev.graft.match.Miss.Cause;
import dev.graft.match.ModuleResolver.Found;
import java.util.List;
import java.util.Optional;

/**
 * The pieces of a module that the file packs or splits, or why there are none; neither if the file
 * has nothing to do with the module.
 *
 * @param pieces the weights that hold the module's outputs
 * @param problem why there are none
 */
record PackedAnswer(List<Piece> pieces, Optional<Miss> problem) {

  static final PackedAnswer NOTHING = new PackedAnswer(List.of(), Optional.empty());

  PackedAnswer {
    pieces = List.copyOf(pieces);
  }

  /**
   * A weight that holds some of a module's outputs.
   *
   * @param name the file's name for the module that the weight is
   * @param found its sites
   * @param ofWeight the weight's outputs that are the module's
   * @param ofModule the module's outputs that are there
   * @param rule how it was found
   */
  record Piece(
      String name, Found found, OutputRange ofWeight, OutputRange ofModule, NameRule rule) {

    /** All of a module on all of a weight. */
    static Piece whole(String name, Found found, NameRule rule) {
      return new Piece(name, found, OutputRange.ALL, OutputRange.ALL, rule);
    }
  }

  static PackedAnswer of(Piece piece) {
    return new PackedAnswer(List.of(piece), Optional.empty());
  }

  static PackedAnswer of(List<Piece> pieces) {
    return new PackedAnswer(pieces, Optional.empty());
  }

  static PackedAnswer refused(String name, Cause cause, String reason) {
    return new PackedAnswer(List.of(), Optional.of(new Miss(name, reason, List.of(), cause)));
  }

  /** What is wrong with a weight that should have been there; nothing if there is none. */
  static PackedAnswer problem(String name, Found found) {
    return found.cause() == Cause.ABSENT ? NOTHING : refused(name, found.cause(), found.problem());
  }

  boolean isNothing() {
    return pieces.isEmpty() && problem.isEmpty();
  }

  /** This, or another where this is nothing. */
  PackedAnswer or(PackedAnswer other) {
    return isNothing() ? other : this;
  }
}

package dev.graft.match;

import dev.graft.adapter.LoraPair;
import dev.graft.match.Miss.Cause;
import dev.graft.match.PackedAnswer.Piece;
import java.util.ArrayList;
import java.util.List;

/** Finds the weights that low-rank pairs go to, packed and split ones too. */
final class PairPlaces {

  private final SiteIndex index;
  private final ModuleResolver modules;
  private final PackedResolver packed;
  private final Purpose purpose;
  private final OwnBranches branches;

  PairPlaces(SiteIndex index, ModuleResolver modules, PackedResolver packed, Purpose purpose) {
    this.index = index;
    this.modules = modules;
    this.packed = packed;
    this.purpose = purpose;
    this.branches = new OwnBranches(index);
  }

  /**
   * The weights that hold a pair's module.
   *
   * @param name the file's name for it
   * @param collected takes the reason if there are none
   */
  List<Piece> find(LoraPair pair, String name, Collected collected) {
    List<Piece> pieces = pieces(pair, name, collected);
    return holdsBranch(pair, name, new Noted(pieces, collected)) ? List.of() : pieces;
  }

  private List<Piece> pieces(LoraPair pair, String name, Collected collected) {
    ModuleResolver.Found found = modules.find(pair.module(), name, s -> mayCarry(s, pair));
    if (!found.sites().isEmpty()) {
      return List.of(Piece.whole(name, found, found.rule()));
    }
    boolean isMatrix = pair.kind() == LoraPair.Kind.LINEAR_OR_CONV && pair.a().shape().rank() == 2;
    PackedAnswer answer =
        isMatrix ? packed.find(name, pair.b().shape().dim(0)) : PackedAnswer.NOTHING;
    if (answer.problem().isPresent()) {
      Miss problem = answer.problem().get();
      collected.miss(pair.module(), problem.cause(), problem.reason());
    } else if (answer.pieces().isEmpty()) {
      String problem =
          found.problem() + (found.cause() == Cause.ABSENT ? PackedResolver.lookedFor(name) : "");
      collected.missNamed(
          new Miss(pair.module(), problem, List.of(), found.cause()), name, index.modules());
    }
    return answer.pieces();
  }

  private static boolean mayCarry(Site site, LoraPair pair) {
    return switch (site.kind()) {
      case QUANTISED -> true;
      case EMBEDDING -> pair.kind() == LoraPair.Kind.EMBEDDING;
      case LINEAR, CONV -> pair.kind() != LoraPair.Kind.EMBEDDING;
    };
  }

  private record Noted(List<Piece> pieces, Collected collected) {}

  /** Whether a branch of the model's own acts beside one of the pieces; notes slots for one. */
  private boolean holdsBranch(LoraPair pair, String name, Noted noted) {
    List<String> names = new ArrayList<>(List.of(name));
    noted.pieces().forEach(p -> names.add(p.name()));
    for (String one : noted.pieces().isEmpty() ? List.<String>of() : names) {
      switch (branches.at(one)) {
        case ACTIVE -> {
          if (purpose == Purpose.BRANCH) {
            // Branches of several adapters add up; their names tell them apart.
            continue;
          }
          noted
              .collected()
              .miss(
                  pair.module(),
                  Cause.UNSUPPORTED,
                  "the model holds a LoRA branch of its own there ('%s.lora_A'), which would act a second time; export the base without an adapter"
                      .formatted(one));
          return true;
        }
        case SLOT -> noted.collected().slot(one);
        case NONE -> {
          // As it should be.
        }
      }
    }
    return false;
  }
}

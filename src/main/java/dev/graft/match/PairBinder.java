package dev.graft.match;

import dev.graft.adapter.LoraPair;
import dev.graft.match.BoundTarget.Lora;
import dev.graft.match.BoundTarget.Operation;
import dev.graft.match.BoundTarget.Place;
import dev.graft.match.Miss.Cause;
import dev.graft.match.PackedAnswer.Piece;
import dev.graft.match.Site.Kind;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Binds low-rank pairs to linear layers, embeddings and convolutions. */
final class PairBinder {

  private final SiteIndex index;
  private final ModuleResolver modules;
  private final PackedResolver packed;
  private final OwnBranches branches;
  private final Collected collected;

  PairBinder(SiteIndex index, ModuleResolver modules, PackedResolver packed, Collected collected) {
    this.index = index;
    this.modules = modules;
    this.packed = packed;
    this.branches = new OwnBranches(index);
    this.collected = collected;
  }

  /**
   * Binds a pair or notes why not.
   *
   * @param pair the adapter's tensors
   * @param name the file's name for its module
   */
  void bind(LoraPair pair, String name) {
    Optional<String> extra = extra(pair);
    if (extra.isPresent()) {
      miss(pair, Cause.UNSUPPORTED, extra.get() + " cannot be folded by this version");
      return;
    }
    List<Piece> pieces = pieces(pair, name);
    if (pieces.isEmpty() || holdsBranch(pair, name, pieces)) {
      return;
    }
    if (pieces.stream().allMatch(piece -> fits(pair, piece))) {
      for (Piece piece : pieces) {
        Place place = new Place(piece.rule(), piece.found().spots(), piece.ofWeight());
        collected.add(new Lora(pair, piece.ofModule(), place, operation(piece.found().first())));
      }
    }
  }

  /** The weights that hold the module; if there are none, the miss is noted. */
  private List<Piece> pieces(LoraPair pair, String name) {
    ModuleResolver.Found found = modules.find(pair.module(), name, s -> mayCarry(s, pair));
    if (!found.sites().isEmpty()) {
      return List.of(Piece.whole(name, found, found.rule()));
    }
    boolean isMatrix = pair.kind() == LoraPair.Kind.LINEAR_OR_CONV && pair.a().shape().rank() == 2;
    PackedAnswer answer =
        isMatrix ? packed.find(name, pair.b().shape().dim(0)) : PackedAnswer.NOTHING;
    if (answer.problem().isPresent()) {
      miss(pair, answer.problem().get().cause(), answer.problem().get().reason());
    } else if (answer.pieces().isEmpty()) {
      String problem =
          found.problem() + (found.cause() == Cause.ABSENT ? PackedResolver.lookedFor(name) : "");
      collected.missNamed(
          new Miss(pair.module(), problem, List.of(), found.cause()), name, index.modules());
    }
    return answer.pieces();
  }

  private boolean holdsBranch(LoraPair pair, String name, List<Piece> pieces) {
    List<String> names = new ArrayList<>(List.of(name));
    pieces.forEach(p -> names.add(p.name()));
    for (String one : names) {
      switch (branches.at(one)) {
        case ACTIVE -> {
          miss(
              pair,
              Cause.UNSUPPORTED,
              "the model holds a LoRA branch of its own there ('%s.lora_A'), which would act a second time; export the base without an adapter"
                  .formatted(one));
          return true;
        }
        case SLOT -> collected.slot(one);
        case NONE -> {
          // As it should be.
        }
      }
    }
    return false;
  }

  private static boolean mayCarry(Site site, LoraPair pair) {
    return switch (site.kind()) {
      case QUANTISED -> true;
      case EMBEDDING -> pair.kind() == LoraPair.Kind.EMBEDDING;
      case LINEAR, CONV -> pair.kind() != LoraPair.Kind.EMBEDDING;
    };
  }

  /**
   * What the site does, in the terms of a pair. A table is looked up by its rows, so they are what
   * A counts as inputs.
   */
  private static Operation operation(Site site) {
    Layout layout = site.kind() == Kind.EMBEDDING ? site.layout().transposed() : site.layout();
    return new Operation(site.kind(), layout, site.alpha());
  }

  private boolean fits(LoraPair pair, Piece piece) {
    ModuleResolver.Found found = piece.found();
    Site site = found.first();
    StoredTensor tensor = site.tensor();
    if (site.kind() == Kind.QUANTISED) {
      miss(
          pair,
          Cause.QUANTISED,
          "'%s' is quantised (%s)".formatted(tensor.label(), site.node().operator()));
      return false;
    }
    if (!tensor.dtype().isFoldable()) {
      miss(
          pair,
          isInteger(tensor) ? Cause.QUANTISED : Cause.UNSUPPORTED,
          "'%s' has the element type %s; Graft folds into float32, float16 and bfloat16"
              .formatted(tensor.label(), tensor.dtype()));
      return false;
    }
    if (!found.isUniform()) {
      miss(
          pair,
          Cause.UNSUPPORTED,
          "its operators read '%s' in different ways (transB or alpha differ)"
              .formatted(tensor.label()));
      return false;
    }
    if (site.alpha() == 0 || !Float.isFinite(site.alpha())) {
      miss(
          pair,
          Cause.UNSUPPORTED,
          site.node() + " has alpha " + site.alpha() + ", so no weight acts");
      return false;
    }
    return isShaped(pair, piece);
  }

  private boolean isShaped(LoraPair pair, Piece piece) {
    Layout layout = operation(piece.found().first()).layout();
    Optional<Miss> problem = PairFit.problem(pair, piece, layout);
    problem.ifPresent(p -> miss(pair, p.cause(), p.reason()));
    return problem.isEmpty();
  }

  /** What the pair has beside A and B that a plain fold would leave out. */
  private static Optional<String> extra(LoraPair pair) {
    return pair.biasOfB().isPresent() ? Optional.of("a bias on B (lora_bias)") : Optional.empty();
  }

  private static boolean isInteger(StoredTensor tensor) {
    return switch (tensor.dtype()) {
      case INT8, UINT8, INT16, UINT16, INT32, INT4, UINT4, INT2, UINT2 -> true;
      default -> false;
    };
  }

  private void miss(LoraPair pair, Cause cause, String reason) {
    collected.miss(pair.module(), cause, reason);
  }
}

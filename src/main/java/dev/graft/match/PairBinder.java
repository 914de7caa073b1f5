package dev.graft.match;

import dev.graft.adapter.LoraPair;
import dev.graft.match.BoundTarget.Lora;
import dev.graft.match.BoundTarget.Operation;
import dev.graft.match.BoundTarget.Place;
import dev.graft.match.Miss.Cause;
import dev.graft.match.PackedAnswer.Piece;
import dev.graft.match.Site.Kind;
import dev.graft.onnx.StoredTensor;
import java.util.List;
import java.util.Optional;

/** Binds low-rank pairs to linear layers, embeddings and convolutions. */
final class PairBinder {

  private final PairPlaces places;
  private final ShiftBinder shifts;
  private final Purpose purpose;
  private final Collected collected;

  PairBinder(PairPlaces places, ShiftBinder shifts, Purpose purpose, Collected collected) {
    this.places = places;
    this.purpose = purpose;
    this.shifts = shifts;
    this.collected = collected;
  }

  /**
   * Binds a pair or notes why not.
   *
   * @param pair the adapter's tensors
   * @param name the file's name for its module
   */
  void bind(LoraPair pair, String name) {
    List<Piece> pieces = places.find(pair, name, collected);
    if (!pieces.stream().allMatch(piece -> fits(pair, piece))) {
      return;
    }
    for (Piece piece : pieces) {
      Place place = new Place(piece.rule(), piece.found().spots(), piece.ofWeight());
      collected.add(new Lora(pair, piece.ofModule(), place, operation(piece.found().first())));
      pair.biasOfB().ifPresent(bias -> shifts.bind(pair, bias, piece));
    }
  }

  /**
   * What the site does, in the terms of a pair. A table is looked up by its rows, so they are what
   * A counts as inputs.
   */
  private static Operation operation(Site site) {
    Layout layout = looksUp(site) ? site.layout().transposed() : site.layout();
    return new Operation(site.kind(), layout, site.alpha(), site.shape());
  }

  private boolean fits(LoraPair pair, Piece piece) {
    ModuleResolver.Found found = piece.found();
    Site site = found.first();
    StoredTensor tensor = site.tensor();
    boolean isBeside = purpose == Purpose.BRANCH && isOpen(pair, site);
    if (site.kind() == Kind.QUANTISED && !isBeside) {
      miss(
          pair,
          Cause.QUANTISED,
          "'%s' is quantised (%s)".formatted(tensor.label(), site.node().operator()));
      return false;
    }
    if (!tensor.dtype().isFoldable() && !isBeside) {
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

  private static boolean looksUp(Site site) {
    return site.kind() == Kind.EMBEDDING || site.node().operator().equals("Gather");
  }

  /** Whether the weight may be quantised where it only has another product beside it. */
  private static boolean isOpen(LoraPair pair, Site site) {
    boolean isTable = pair.kind() == LoraPair.Kind.EMBEDDING;
    boolean isQuantised = site.kind() == Kind.QUANTISED || isInteger(site.tensor());
    return isQuantised && looksUp(site) == isTable && QuantisedProducts.isOpen(site);
  }

  private boolean isShaped(LoraPair pair, Piece piece) {
    Layout layout = operation(piece.found().first()).layout();
    Optional<Miss> problem = PairFit.problem(pair, piece, layout);
    problem.ifPresent(p -> miss(pair, p.cause(), p.reason()));
    return problem.isEmpty();
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

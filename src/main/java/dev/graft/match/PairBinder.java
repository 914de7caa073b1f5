package dev.graft.match;

import dev.graft.adapter.LoraPair;
import dev.graft.match.BoundTarget.Lora;
import dev.graft.match.BoundTarget.Operation;
import dev.graft.match.BoundTarget.Place;
import dev.graft.match.Miss.Cause;
import dev.graft.match.Site.Kind;
import dev.graft.onnx.StoredTensor;
import java.util.List;
import java.util.Optional;

/** Binds low-rank pairs to linear layers, embeddings and convolutions. */
final class PairBinder {

  private final SiteIndex index;
  private final ModuleResolver modules;
  private final ShiftBinder shifts;
  private final Collected collected;

  PairBinder(SiteIndex index, ModuleResolver modules, ShiftBinder shifts, Collected collected) {
    this.index = index;
    this.modules = modules;
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
    ModuleResolver.Found found = modules.find(pair.module(), name, s -> mayCarry(s, pair));
    if (found.sites().isEmpty()) {
      collected.missNamed(
          new Miss(pair.module(), found.problem(), List.of(), found.cause()),
          name,
          index.modules());
      return;
    }
    if (index.modules().contains(name + ".lora_A")) {
      miss(
          pair,
          Cause.UNSUPPORTED,
          "the model holds a LoRA branch of its own there ('%s.lora_A'), which would act a second time; export the base without an adapter"
              .formatted(name));
      return;
    }
    if (fits(pair, found)) {
      Place place = Place.whole(found.rule(), found.spots());
      collected.add(new Lora(pair, OutputRange.ALL, place, operation(found.first())));
      if (pair.biasOfB().isPresent()) {
        shifts.bind(pair, pair.biasOfB().get(), new ShiftBinder.Module(name, found));
      }
    }
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

  private boolean fits(LoraPair pair, ModuleResolver.Found found) {
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
    return isShaped(pair, site);
  }

  private boolean isShaped(LoraPair pair, Site site) {
    Optional<Miss> problem = PairFit.problem(pair, site, operation(site).layout());
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

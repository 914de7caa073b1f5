package dev.graft.match;

import dev.graft.adapter.TokenRows;
import dev.graft.match.BoundTarget.Place;
import dev.graft.match.BoundTarget.Rows;
import dev.graft.match.Miss.Cause;
import dev.graft.match.Site.Kind;
import dev.graft.onnx.StoredTensor;
import java.util.List;
import java.util.Optional;

/**
 * Binds rows of a token table ({@code trainable_token_indices}) to the embedding that looks them
 * up, or to the layer over the vocabulary.
 */
final class RowsBinder {

  private final SiteIndex index;
  private final ModuleResolver modules;
  private final Collected collected;

  RowsBinder(SiteIndex index, ModuleResolver modules, Collected collected) {
    this.index = index;
    this.modules = modules;
    this.collected = collected;
  }

  /**
   * Binds rows or notes why not.
   *
   * @param rows the adapter's rows
   * @param name the file's name for their module
   */
  void bind(TokenRows rows, String name) {
    ModuleResolver.Found found = modules.find(rows.module(), name, s -> s.kind() != Kind.CONV);
    if (found.sites().isEmpty()) {
      collected.missNamed(
          new Miss(rows.module(), found.problem(), List.of(), found.cause()),
          name,
          index.modules());
      return;
    }
    Optional<Miss> problem = problem(rows, found);
    if (problem.isPresent()) {
      collected.miss(rows.module(), problem.get().cause(), problem.get().reason());
    } else {
      Place place = Place.whole(found.rule(), found.spots());
      collected.add(new Rows(rows, place, found.first().layout()));
    }
  }

  private static Optional<Miss> problem(TokenRows rows, ModuleResolver.Found found) {
    StoredTensor table = found.first().tensor();
    if (found.first().kind() == Kind.QUANTISED) {
      return miss(
          rows,
          Cause.QUANTISED,
          "'%s' is quantised (%s)".formatted(table.label(), found.first().node().operator()));
    }
    if (!table.dtype().isFoldable()) {
      return miss(
          rows,
          Cause.UNSUPPORTED,
          "'%s' has the element type %s; Graft replaces rows of float32, float16 and bfloat16"
              .formatted(table.label(), table.dtype()));
    }
    if (!rows.rows().dtype().isFoldable()) {
      return miss(
          rows,
          Cause.UNSUPPORTED,
          "the adapter's rows have the element type %s; save them as float32, float16 or bfloat16"
              .formatted(rows.rows().dtype()));
    }
    if (!found.isUniform()) {
      return miss(
          rows,
          Cause.UNSUPPORTED,
          "its operators read '%s' in different ways".formatted(table.label()));
    }
    return misfit(rows, found.first());
  }

  private static Optional<Miss> misfit(TokenRows rows, Site site) {
    StoredTensor table = site.tensor();
    long length = site.layout().out(table.shape());
    long width = site.layout().in(table.shape());
    if (rows.rows().shape().dim(1) != width) {
      return miss(
          rows,
          Cause.NO_FIT,
          "the adapter's rows are %d wide, but '%s' %s read by %s has rows of %d"
              .formatted(
                  rows.rows().shape().dim(1),
                  table.label(),
                  table.shape(),
                  site.node().operator(),
                  width));
    }
    long largest = rows.indices().stream().mapToLong(Long::longValue).max().orElse(-1);
    return largest < length
        ? Optional.empty()
        : miss(
            rows,
            Cause.NO_FIT,
            "the adapter replaces row %d, but '%s' %s has %d; the tokens were added before training: call resize_token_embeddings(%d) or more on the base and export that"
                .formatted(largest, table.label(), table.shape(), length, largest + 1));
  }

  private static Optional<Miss> miss(TokenRows rows, Cause cause, String reason) {
    return Optional.of(new Miss(rows.module(), reason, List.of(), cause));
  }
}

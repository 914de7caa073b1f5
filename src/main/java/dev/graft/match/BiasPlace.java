package dev.graft.match;

import java.util.List;
import java.util.Optional;

/** Where the graph adds a module's bias, or where it would. */
sealed interface BiasPlace {

  /**
   * The graph adds stored values.
   *
   * @param paths the ways to them, one for each site
   * @param factor what the operators multiply them with
   */
  record Stored(List<WeightPath> paths, float factor) implements BiasPlace {}

  /**
   * The graph adds nothing that is known to be the bias.
   *
   * @param openings where a bias can be put, one for each site
   * @param factor what the operators would multiply it with
   * @param doubt what may hold the module's bias all the same, so that to put another one beside it
   *     would be wrong; to add something to it is right in any case
   */
  record Missing(List<Opening> openings, float factor, Optional<String> doubt)
      implements BiasPlace {}

  /** Neither can be said. */
  record Unclear(String reason) implements BiasPlace {}
}

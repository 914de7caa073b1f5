package dev.graft.verify;

import dev.graft.error.RuntimeFailure;
import dev.graft.runtime.HostTensor;
import dev.graft.runtime.ModelValue;
import dev.graft.runtime.Session;
import dev.graft.runtime.SessionSettings;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;

/** Loads a model, feeds it, keeps its outputs and lets it go. */
final class ModelRunner {

  private final SessionSettings settings;
  private final FeedSource feeds;
  private final Arena arena;

  /** Outputs live as long as the arena. */
  ModelRunner(SessionSettings settings, FeedSource feeds, Arena arena) {
    this.settings = settings;
    this.feeds = feeds;
    this.arena = arena;
  }

  /**
   * Runs a model once.
   *
   * @param choice picks from the names of the outputs those to compute, before anything is computed
   */
  SequencedMap<String, HostTensor> run(Path model, UnaryOperator<List<String>> choice) {
    try (Session session = Session.open(model, settings)) {
      List<String> wanted = choice.apply(session.outputs().stream().map(ModelValue::name).toList());
      SequencedMap<String, HostTensor> fed = feeds.feeds(model, session.inputs());
      try {
        return session.run(fed, wanted, arena);
      } catch (RuntimeFailure e) {
        throw new RuntimeFailure(e.getMessage() + feeds.advice(), e);
      }
    }
  }
}

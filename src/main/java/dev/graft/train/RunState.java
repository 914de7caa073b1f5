package dev.graft.train;

import java.util.ArrayList;
import java.util.List;

/** How far a run is, and what its log holds. */
final class RunState {

  private long step;
  private long place;
  private double lossSinceEntry;
  private long stepsSinceEntry;
  private double lossInAll;
  private final List<LogEntry> log = new ArrayList<>();

  /** Optimizer steps done. */
  long step() {
    return step;
  }

  /** Rows that have gone by. */
  long place() {
    return place;
  }

  List<LogEntry> log() {
    return List.copyOf(log);
  }

  /** The mean loss of all steps. */
  double meanLoss() {
    return step == 0 ? 0 : lossInAll / step;
  }

  /** Some rows have gone by. */
  void pass(long rows) {
    place += rows;
  }

  /** A step has been taken. */
  void stepped(double loss) {
    step++;
    lossSinceEntry += loss;
    stepsSinceEntry++;
    lossInAll += loss;
  }

  /** Adds an entry about the steps since the last one. */
  LogEntry enter(double epoch, double gradNorm, double learningRate) {
    LogEntry entry =
        new LogEntry(step, epoch, lossSinceEntry / stepsSinceEntry, gradNorm, learningRate);
    log.add(entry);
    lossSinceEntry = 0;
    stepsSinceEntry = 0;
    return entry;
  }

  /** Everything, to be saved. */
  Saved saved() {
    return new Saved(step, place, lossSinceEntry, stepsSinceEntry, lossInAll, log());
  }

  /**
   * A saved state.
   *
   * @param step optimizer steps done
   * @param place rows that have gone by
   * @param lossSinceEntry sum over the steps since the last entry of the log
   * @param stepsSinceEntry how many those are
   * @param lossInAll sum over all steps
   * @param log the log
   */
  record Saved(
      long step,
      long place,
      double lossSinceEntry,
      long stepsSinceEntry,
      double lossInAll,
      List<LogEntry> log) {
    /** Refuses what no run can have come to. */
    Saved {
      if (step < 0 || place < 0 || stepsSinceEntry < 0 || log == null) {
        throw new IllegalArgumentException("steps and rows cannot be fewer than none");
      }
    }
  }

  /** The state that was saved. */
  static RunState of(Saved saved) {
    RunState state = new RunState();
    state.step = saved.step();
    state.place = saved.place();
    state.lossSinceEntry = saved.lossSinceEntry();
    state.stepsSinceEntry = saved.stepsSinceEntry();
    state.lossInAll = saved.lossInAll();
    state.log.addAll(saved.log());
    return state;
  }
}

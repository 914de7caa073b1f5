package dev.graft.train;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How a run went.
 *
 * @param job what it was about
 * @param steps optimizer steps done
 * @param epoch passes over the rows
 * @param loss mean over all steps
 * @param seconds from the first step to the last
 * @param log the log
 * @param interrupted the checkpoint to go on from, if the run was ended before its time
 */
public record TrainingReport(
    Job job,
    long steps,
    double epoch,
    double loss,
    double seconds,
    List<LogEntry> log,
    Optional<Path> interrupted) {

  /** Copies the log. */
  public TrainingReport {
    log = List.copyOf(log);
  }

  /**
   * What a run is about.
   *
   * @param trainableParameters values that are trained
   * @param rows rows of the data
   * @param totalSteps optimizer steps of the whole run
   * @param nodes nodes of the training graph
   * @param graphSeconds how long making the graph took
   */
  public record Job(
      long trainableParameters, long rows, long totalSteps, int nodes, double graphSeconds) {}
}

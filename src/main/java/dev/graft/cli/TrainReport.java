package dev.graft.cli;

import dev.graft.train.LogEntry;
import dev.graft.train.TrainingOptions;
import dev.graft.train.TrainingReport;
import java.util.List;
import java.util.Optional;

/**
 * What {@code train} did.
 *
 * @param schema version of the report
 * @param verb the verb
 * @param model the base
 * @param output the adapter's folder
 * @param task what was taught
 * @param trainableParameters values that were trained
 * @param rows rows of the data
 * @param nodes nodes of the training graph
 * @param graphSeconds how long making the graph took
 * @param steps optimizer steps done
 * @param epoch passes over the rows
 * @param loss mean over all steps
 * @param seconds how long the steps took
 * @param log entries of the log
 * @param interrupted the checkpoint to go on from, if the run was ended before its time
 */
record TrainReport(
    int schema,
    String verb,
    String model,
    String output,
    String task,
    long trainableParameters,
    long rows,
    int nodes,
    double graphSeconds,
    long steps,
    double epoch,
    double loss,
    double seconds,
    List<LogEntry> log,
    Optional<String> interrupted) {

  static TrainReport of(String verb, TrainingOptions options, TrainingReport report) {
    return new TrainReport(
        Json.SCHEMA,
        verb,
        options.sources().model().toString(),
        options.output().folder().toString(),
        options.loss().task().option(),
        report.job().trainableParameters(),
        report.job().rows(),
        report.job().nodes(),
        report.job().graphSeconds(),
        report.steps(),
        report.epoch(),
        report.loss(),
        report.seconds(),
        report.log(),
        report.interrupted().map(Object::toString));
  }
}

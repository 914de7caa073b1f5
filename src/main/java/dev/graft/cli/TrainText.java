package dev.graft.cli;

import java.io.PrintWriter;
import java.util.Locale;

/** The report of {@code train} as text. */
final class TrainText {

  private TrainText() {}

  static void print(PrintWriter out, TrainReport report) {
    out.println("model    " + report.model());
    out.println(
        "trained  %s values, %s steps, %.2f epochs of %s rows"
            .formatted(
                Figures.count(report.trainableParameters()),
                Figures.count(report.steps()),
                report.epoch(),
                Figures.count(report.rows())));
    out.println(
        String.format(
            Locale.ROOT, "loss     %.4f in the mean, %.1f s", report.loss(), report.seconds()));
    report
        .interrupted()
        .ifPresentOrElse(
            folder -> out.println("ended    before its time; --resume-from-checkpoint " + folder),
            () -> out.println("adapter  " + report.output()));
  }
}

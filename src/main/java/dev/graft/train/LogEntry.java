package dev.graft.train;

/**
 * What the log says after some steps.
 *
 * @param step optimizer steps done
 * @param epoch passes over the rows
 * @param loss mean over the steps since the entry before
 * @param gradNorm length of the last step's gradient before it was cut
 * @param learningRate the last step's
 */
public record LogEntry(
    long step, double epoch, double loss, double gradNorm, double learningRate) {}

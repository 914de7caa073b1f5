package dev.graft.train;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/** What must be the same where a run goes on from a checkpoint, by the options' names. */
final class RunSettings {

  private RunSettings() {}

  /**
   * Takes them together.
   *
   * @param steps of the whole run, which a schedule that falls depends on
   */
  static Map<String, String> of(TrainingOptions options, TrainingJob job, long steps) {
    SequencedMap<String, String> settings = new LinkedHashMap<>();
    TrainingOptions.Loss loss = options.loss();
    TrainingOptions.Batches batches = options.batches();
    TrainingOptions.Update update = options.update();
    settings.put("task", loss.task().option());
    settings.put("problem-type", job.loss().kind().name().toLowerCase(Locale.ROOT));
    settings.put("label-smoothing-factor", "" + loss.smoothing());
    settings.put("average-tokens-across-window", loss.averaging().name());
    settings.put("set", new TreeMap<>(loss.inputs()).toString());
    settings.put("rows of --train-file", "" + job.rows().rows().size());
    settings.put("SHA-256 of the rows", job.rows().sha256());
    settings.put("per-device-train-batch-size", "" + batches.size());
    settings.put("gradient-accumulation-steps", "" + batches.accumulation());
    settings.put("order of rows", batches.order().name());
    settings.put("seed", "" + batches.seed());
    settings.put("optim", update.optimizer().toString());
    settings.put("learning-rate", "" + update.learningRate());
    settings.put("lr-scheduler-type", update.schedule().option());
    if (update.schedule() == Schedule.Kind.LINEAR) {
      settings.put("steps of the run", "" + steps);
    }
    settings.put("warmup", update.warmup().toString());
    settings.put("weight-decay", "" + update.weightDecay());
    settings.put("weight-decay-on", update.decayOn().name());
    settings.put("max-grad-norm", "" + update.maxGradNorm());
    settings.put("lora-dropout", "" + job.dropout().probability());
    return settings;
  }
}

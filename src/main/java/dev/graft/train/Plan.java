package dev.graft.train;

import dev.graft.train.TrainingOptions.Batches;
import dev.graft.train.TrainingOptions.Update;
import java.util.OptionalLong;

/**
 * How long a run is and how its rate goes.
 *
 * @param rows rows of the data
 * @param steps optimizer steps of the whole run
 * @param schedule the learning rate
 */
record Plan(long rows, long steps, Schedule schedule) {

  static Plan of(long rows, Batches batches, Update update) {
    OptionalLong most = batches.length().maxSteps();
    long steps = most.isPresent() ? most.getAsLong() : ofEpochs(rows, batches);
    long warmup =
        update.warmup().steps() > 0
            ? update.warmup().steps()
            : (long) Math.ceil(update.warmup().ratio() * steps);
    return new Plan(
        rows, steps, new Schedule(update.schedule(), update.learningRate(), warmup, steps));
  }

  private static long ofEpochs(long rows, Batches batches) {
    long perEpoch =
        Math.ceilDiv(Math.ceilDiv(rows, (long) batches.size()), (long) batches.accumulation());
    return Math.max(1, (long) Math.ceil(batches.length().epochs() * perEpoch));
  }

  /** Passes over the data after so many rows. */
  double epoch(long place) {
    return (double) place / rows;
  }
}

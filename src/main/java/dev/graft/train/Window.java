package dev.graft.train;

import java.util.ArrayList;
import java.util.List;

/**
 * The batches of one optimizer step.
 *
 * @param batches those with labels
 * @param skipped how many had none
 * @param rows how many rows all of them hold
 */
record Window(List<Batch> batches, int skipped, long rows) {

  Window {
    batches = List.copyOf(batches);
  }

  /**
   * A batch with at least one label.
   *
   * @param rows its rows
   * @param labels what they should give, and how many there are
   * @param microStep batches since the beginning of the run
   */
  record Batch(List<Row> rows, Labels.OfBatch labels, long microStep) {
    /** The lines of its rows, each once, for messages. */
    String lines() {
      return rows.stream().map(Row::line).distinct().toList().toString();
    }
  }

  /** How many labels there are in all. */
  long labels() {
    return batches.stream().mapToLong(batch -> batch.labels().count()).sum();
  }

  /** Cuts windows from the stream of rows. */
  static final class Source {
    private final TrainingJob job;
    private final RowOrder order;
    private final TrainingOptions.Batches sizes;

    Source(TrainingJob job, TrainingOptions.Batches sizes) {
      this.job = job;
      this.sizes = sizes;
      this.order = new RowOrder(sizes.order(), job.rows().rows().size(), sizes.seed());
    }

    /** The window that begins at a place of the stream. */
    Window at(long place) {
      List<Batch> batches = new ArrayList<>();
      for (int i = 0; i < sizes.accumulation(); i++) {
        long first = place + (long) i * sizes.size();
        List<Row> rows = new ArrayList<>();
        for (int row = 0; row < sizes.size(); row++) {
          rows.add(job.rows().rows().get(order.row(first + row)));
        }
        Labels.OfBatch labels = job.labels().of(rows, job.loss().names());
        if (labels.count() > 0) {
          batches.add(new Batch(List.copyOf(rows), labels, first / sizes.size()));
        }
      }
      int skipped = sizes.accumulation() - batches.size();
      return new Window(batches, skipped, (long) sizes.accumulation() * sizes.size());
    }
  }
}

package dev.graft.fuzz;

/** What a campaign, or a part of one, comes to. */
final class Figures {

  long inputs;
  long accepted;
  long slowestNanos;
  long largestBytes;
  int endings;

  void add(Trial trial) {
    inputs++;
    accepted += trial.thrown() == null ? 1 : 0;
    slowestNanos = Math.max(slowestNanos, trial.nanos());
    largestBytes = Math.max(largestBytes, trial.allocated());
  }

  void add(Figures other) {
    inputs += other.inputs;
    accepted += other.accepted;
    slowestNanos = Math.max(slowestNanos, other.slowestNanos);
    largestBytes = Math.max(largestBytes, other.largestBytes);
    endings = Math.max(endings, other.endings);
  }

  @Override
  public String toString() {
    return "%,d inputs, %.1f %% accepted, %d ways to end, slowest %.1f ms, largest allocation %.1f MB"
        .formatted(
            inputs,
            100.0 * accepted / Math.max(1, inputs),
            endings,
            slowestNanos / 1e6,
            largestBytes / 1e6);
  }
}

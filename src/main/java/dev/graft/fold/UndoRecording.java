package dev.graft.fold;

import dev.graft.fold.RowRecorder.Run;
import dev.graft.io.OutputFile;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Keeps what a merge changes, until the record can be put together. */
final class UndoRecording implements Recording {

  private final UndoSpool spool;
  private final Map<FoldedTensor, Recorded> recorded = new ConcurrentHashMap<>();

  /**
   * What was kept of a tensor.
   *
   * @param rowLength by which rows it was changed
   * @param runs in the spool
   * @param factors vectors of factors of the parts that have one
   */
  record Recorded(int rowLength, List<Run> runs, List<float[]> factors) {}

  /** Begins, with room for the runs. */
  UndoRecording(OutputFile spool) {
    this.spool = new UndoSpool(spool);
  }

  /**
   * Whether a tensor's old bytes are had by changing the new ones back. Those of others, and all of
   * those that lie in typed fields, are kept as they are.
   */
  static boolean isUndone(FoldedTensor tensor) {
    return !tensor.isAdded() && tensor.start().flatMap(t -> t.source()).isPresent();
  }

  @Override
  public RowChange change(FoldedTensor tensor, RowSource rows, int rowLength) {
    return isUndone(tensor)
        ? RowRecorder.of(tensor, rows, rowLength, spool)
        : new RowChange.Plain(rows);
  }

  @Override
  public void finish(FoldedTensor tensor, RowChange change, RowSource rows) {
    if (change instanceof RowRecorder recorder) {
      List<float[]> factors = new ArrayList<>();
      if (UndoKind.of(tensor) == UndoKind.SCALED) {
        rows.collectFactors(factors);
      }
      recorded.put(
          tensor, new Recorded(recorder.rowLength(), recorder.finish(), List.copyOf(factors)));
    }
  }

  /** What was kept of a tensor that has been written. */
  Optional<Recorded> of(FoldedTensor tensor) {
    return Optional.ofNullable(recorded.get(tensor));
  }

  /** The runs. */
  OutputFile spool() {
    return spool.file();
  }
}

package dev.graft.fold;

import dev.graft.adapter.LoraPair.Factors;
import dev.graft.fold.Factor.Window;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Rows of {@code W[e] + s·B[e]·A[e]} for expert after expert. A holds the experts' rows one expert
 * after the other, {@code [E · r, in]}; B's columns go rank by rank, {@code [out, r · E]}, so that
 * an expert has every E-th of them. B is sorted by experts once, outside the heap.
 */
final class ExpertRows implements RowSource {

  private final Change.Experts change;
  private final AdapterValues adapter;
  private final long rowsOfExpert;
  private final int rank;
  private final int out;
  // Rows go from thread to thread where a merge is taken back.
  private final Arena arena = Arena.ofShared();
  private final MemorySegment sorted;
  private LowRankRows current;
  private long expert;

  /**
   * Sorts B and prepares the first expert.
   *
   * @param change the pair
   * @param rowsOfExpert how many stored rows an expert has
   * @param adapter keeps the adapter's file open
   */
  ExpertRows(Change.Experts change, long rowsOfExpert, AdapterValues adapter) {
    this.change = change;
    this.adapter = adapter;
    this.rowsOfExpert = rowsOfExpert;
    Factors factors = change.factors();
    this.rank = Math.toIntExact(factors.a().shape().dim(0) / change.experts());
    this.out = Math.toIntExact(factors.b().shape().dim(0));
    this.sorted = arena.allocate((long) change.experts() * out * rank * Float.BYTES, 64);
    try {
      sort();
      this.current = rows(0);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  private void sort() {
    int experts = change.experts();
    try (Factor b = new TensorFactor(change.factors().b(), adapter)) {
      int step = Math.max(1, LeftFactor.WINDOW / b.columns());
      float[] read = new float[Math.min(step, out) * b.columns()];
      for (int row = 0; row < out; row += step) {
        int count = Math.min(step, out - row);
        b.read(Window.ofRows(b, row, count), read);
        for (int o = 0; o < count; o++) {
          for (int j = 0; j < rank; j++) {
            for (int e = 0; e < experts; e++) {
              long at = ((long) e * out + row + o) * rank + j;
              sorted.setAtIndex(
                  ValueLayout.JAVA_FLOAT, at, read[o * b.columns() + j * experts + e]);
            }
          }
        }
      }
    }
  }

  private LowRankRows rows(int of) {
    Factor a = new FactorRows(new TensorFactor(change.factors().a(), adapter), of * rank, rank);
    return LowRankRows.of(a, new Sorted(of), change.layout(), change.scale());
  }

  @Override
  public void apply(long row, float[] values, int count) {
    long wanted = row / rowsOfExpert;
    if (wanted != expert) {
      current.close();
      current = rows(Math.toIntExact(wanted));
      expert = wanted;
    }
    current.apply(row % rowsOfExpert, values, count);
  }

  @Override
  public boolean isSum() {
    return true;
  }

  @Override
  public void close() {
    current.close();
    arena.close();
  }

  /** B of one expert. */
  private final class Sorted implements Factor {
    private final long first;

    Sorted(int expert) {
      this.first = (long) expert * out * rank;
    }

    @Override
    public int rows() {
      return out;
    }

    @Override
    public int columns() {
      return rank;
    }

    @Override
    public void read(Window window, float[] into) {
      for (int i = 0; i < window.rows(); i++) {
        long from = first + (long) (window.row() + i) * rank + window.column();
        MemorySegment.copy(
            sorted,
            ValueLayout.JAVA_FLOAT,
            from * Float.BYTES,
            into,
            i * window.columns(),
            window.columns());
      }
    }
  }
}

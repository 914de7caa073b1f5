package dev.graft.fold;

import dev.graft.tensor.DType;
import dev.graft.tensor.FloatCodec;
import dev.graft.undo.CorrectionWriter;
import dev.graft.undo.Corrections;
import dev.graft.undo.ReplacedWriter;
import dev.graft.undo.Scaled;
import dev.graft.undo.ScaledCorrectionWriter;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Changes the rows of one tensor and writes down what is needed to change them back, a run for each
 * {@value #RUN_BYTES} bytes of rows or so, which can be read without the runs before it.
 */
abstract class RowRecorder implements RowChange {

  private static final int RUN_BYTES = 1 << 20;

  private final RowSource source;
  private final UndoSpool spool;
  private final List<Run> runs = new ArrayList<>();
  private final int rowLength;
  private final int rowsOfRun;
  private int rows;

  /**
   * A run in the spool.
   *
   * @param offset where it begins
   * @param first bytes of its first part
   * @param second bytes of its second part
   */
  record Run(long offset, int first, int second) {}

  private RowRecorder(RowSource source, UndoSpool spool, DType type, int rowLength) {
    this.source = source;
    this.spool = spool;
    this.rowLength = rowLength;
    this.rowsOfRun = rowsOfRun(type.bytes(rowLength));
  }

  /** How many values a row has. */
  final int rowLength() {
    return rowLength;
  }

  /** How many rows of so many bytes a run has, the last one apart. */
  static int rowsOfRun(long rowBytes) {
    return (int) Math.max(1, RUN_BYTES / rowBytes);
  }

  /** A recorder for a tensor. */
  static RowRecorder of(FoldedTensor tensor, RowSource source, int rowLength, UndoSpool spool) {
    DType type = tensor.dtype();
    return switch (UndoKind.of(tensor)) {
      case ADDED -> new Added(source, spool, type, rowLength);
      case SCALED -> new Multiplied(source, spool, type, rowLength);
      case REPLACED -> new Replaced(source, spool, type, rowLength);
    };
  }

  final RowSource source() {
    return source;
  }

  /** Ends the run if it is full. */
  final void rowDone() {
    if (++rows == rowsOfRun) {
      endRun();
    }
  }

  private void endRun() {
    Corrections run = takeRun();
    runs.add(new Run(spool.append(run), run.choices().length, run.exceptions().length));
    rows = 0;
  }

  /** What was recorded since the last run. */
  abstract Corrections takeRun();

  /** The runs of all rows, in order. */
  final List<Run> finish() {
    if (rows > 0) {
      endRun();
    }
    return List.copyOf(runs);
  }

  /** Something is added. */
  private static final class Added extends RowRecorder {
    private final DType type;
    private final FloatCodec codec;
    private final float[] before;
    private final float[] added;
    private final float[] after;
    private CorrectionWriter corrections;

    Added(RowSource source, UndoSpool spool, DType type, int rowLength) {
      super(source, spool, type, rowLength);
      this.type = type;
      this.codec = new FloatCodec(type, rowLength);
      this.before = new float[rowLength];
      this.added = new float[rowLength];
      this.after = new float[rowLength];
      this.corrections = new CorrectionWriter(type, rowLength);
    }

    @Override
    public void change(long row, float[] values, int count) {
      System.arraycopy(values, 0, before, 0, count);
      // Neutral in a float sum: −0 + d is d, whatever d is.
      Arrays.fill(added, 0, count, -0f);
      source().add(row, added, count);
      if (source().isSum()) {
        for (int i = 0; i < count; i++) {
          values[i] = before[i] + added[i];
        }
      } else {
        source().apply(row, values, count);
      }
    }

    @Override
    public void after(MemorySegment stored, long offset, int count) {
      codec.decode(stored, offset, after, count);
      corrections.add(before, after, added, count);
      rowDone();
    }

    @Override
    Corrections takeRun() {
      Corrections run = corrections.finish();
      corrections = new CorrectionWriter(type, before.length);
      return run;
    }
  }

  /** Something is added and the sum multiplied. */
  private static final class Multiplied extends RowRecorder {
    private final DType type;
    private final FloatCodec codec;
    private final float[] before;
    private final float[] after;
    private final Scaled scaled;
    private ScaledCorrectionWriter corrections;

    Multiplied(RowSource source, UndoSpool spool, DType type, int rowLength) {
      super(source, spool, type, rowLength);
      this.type = type;
      this.codec = new FloatCodec(type, rowLength);
      this.before = new float[rowLength];
      this.after = new float[rowLength];
      this.scaled = new Scaled(rowLength);
      this.corrections = new ScaledCorrectionWriter(type);
    }

    @Override
    public void change(long row, float[] values, int count) {
      System.arraycopy(values, 0, before, 0, count);
      scaled.clear(count);
      source().add(row, scaled.added(), count);
      source().apply(row, values, count);
      source().scale(row, scaled.factors(), count);
    }

    @Override
    public void after(MemorySegment stored, long offset, int count) {
      codec.decode(stored, offset, after, count);
      corrections.add(before, after, scaled, count);
      rowDone();
    }

    @Override
    Corrections takeRun() {
      Corrections run = corrections.finish();
      corrections = new ScaledCorrectionWriter(type);
      return run;
    }
  }

  /** Values take others' places. */
  private static final class Replaced extends RowRecorder {
    private final int elementBytes;
    private final byte[] before;
    private ReplacedWriter replaced;

    Replaced(RowSource source, UndoSpool spool, DType type, int rowLength) {
      super(source, spool, type, rowLength);
      this.elementBytes = type.bits() / Byte.SIZE;
      this.before = new byte[rowLength * elementBytes];
      this.replaced = new ReplacedWriter(elementBytes);
    }

    @Override
    public void before(MemorySegment stored, long offset, int count) {
      MemorySegment.copy(stored, offset, MemorySegment.ofArray(before), 0, bytes(count));
    }

    @Override
    public void change(long row, float[] values, int count) {
      source().apply(row, values, count);
    }

    @Override
    public void after(MemorySegment stored, long offset, int count) {
      replaced.add(
          MemorySegment.ofArray(before).asSlice(0, bytes(count)),
          stored.asSlice(offset, bytes(count)));
      rowDone();
    }

    private long bytes(int count) {
      return (long) count * elementBytes;
    }

    @Override
    Corrections takeRun() {
      Corrections run = replaced.finish();
      replaced = new ReplacedWriter(elementBytes);
      return run;
    }
  }
}

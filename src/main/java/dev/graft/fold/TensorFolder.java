package dev.graft.fold;

import dev.graft.error.UnsupportedException;
import dev.graft.fold.FoldedTensor.Hashes;
import dev.graft.fold.FoldedTensor.Part;
import dev.graft.io.ByteSource;
import dev.graft.io.Progress;
import dev.graft.match.Turn;
import dev.graft.tensor.DType;
import dev.graft.tensor.FloatCodec;
import dev.graft.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Folds one tensor at a time: reads a block, changes and hashes it and writes it, all while it is
 * in the cache. One instance serves one thread.
 */
final class TensorFolder implements AutoCloseable {

  /** Fits into the second-level cache with room for the factors. */
  static final int BLOCK_BYTES = 1 << 20;

  private static final int FLAT_ROW = 1 << 16;

  /** Wider rows would need buffers that no model has asked for yet. */
  private static final long MAX_ROW = 1 << 22;

  private final Arena arena = Arena.ofConfined();
  private final AdapterValues adapter;
  private final Recording recording;
  private final int blockBytes;
  private MemorySegment buffer;

  /**
   * Prepares to fold in blocks.
   *
   * @param adapter where the adapter's tensors are read
   * @param recording told of what is changed
   * @param blockBytes about how long a block is; the result does not depend on it
   */
  TensorFolder(AdapterValues adapter, Recording recording, int blockBytes) {
    this.adapter = adapter;
    this.recording = recording;
    this.blockBytes = blockBytes;
    this.buffer = arena.allocate(blockBytes, 64);
  }

  /** Takes finished blocks. */
  interface Sink {
    void write(MemorySegment block, long offset);
  }

  /**
   * Folds a tensor.
   *
   * @param tensor what to fold
   * @param source the bytes that are changed
   * @param sink where the new bytes go, at offsets from the tensor's start
   * @param progress told of every byte written
   * @return what the bytes hash to, before and after
   * @throws dev.graft.error.FormatException if the result holds a value that is not finite
   */
  Hashes fold(FoldedTensor tensor, Source source, Sink sink, Progress progress) {
    int rowLength = rowLength(tensor);
    try (RowSource rows = rows(tensor, rowLength)) {
      if (rows.needsAllRowsFirst()) {
        observe(tensor, source, rows);
      }
      RowChange change = recording.change(tensor, rows, rowLength);
      BlockFolder folder = new BlockFolder(tensor, change, rowLength);
      long step = Math.max(1, blockBytes / folder.rowBytes()) * folder.rowBytes();
      MemorySegment block = block(step);
      long total = tensor.lengthBytes();
      for (long done = 0; done < total; done += step) {
        MemorySegment part = block.asSlice(0, Math.min(step, total - done));
        source.bytes().readFully(part, source.offset() + done);
        folder.change(part, done / folder.rowBytes());
        sink.write(part, done);
        progress.advance(part.byteSize());
      }
      recording.finish(tensor, change, rows);
      return folder.hashes();
    }
  }

  /**
   * Stored bytes.
   *
   * @param bytes the file or the decoded values
   * @param offset where the tensor begins
   */
  record Source(ByteSource bytes, long offset) {}

  /** Shows every row to a source that has to know them all before it can change one. */
  private void observe(FoldedTensor tensor, Source source, RowSource rows) {
    int rowLength = rowLength(tensor);
    DType type = tensor.dtype();
    long rowBytes = type.bytes(rowLength);
    FloatCodec codec = new FloatCodec(type, rowLength);
    float[] values = new float[rowLength];
    MemorySegment row = block(rowBytes).asSlice(0, rowBytes);
    for (long at = 0; at < tensor.lengthBytes(); at += rowBytes) {
      source.bytes().readFully(row, source.offset() + at);
      codec.decode(row, 0, values, rowLength);
      rows.observe(at / rowBytes, values, rowLength);
    }
  }

  private MemorySegment block(long bytes) {
    if (buffer.byteSize() < bytes) {
      buffer = arena.allocate(bytes, 64);
    }
    return buffer;
  }

  /**
   * How long the rows are by which a tensor is folded: those of a matrix, of a kernel as {@code
   * [out, in · k..]}, of each expert's matrix, or one for a whole vector. What is only copied may
   * be cut anywhere.
   */
  private static int rowLength(FoldedTensor tensor) {
    Shape shape = tensor.shape();
    long length =
        isCopied(tensor)
            ? Math.min(FLAT_ROW, shape.elements())
            : ofExperts(tensor)
                ? shape.dim(2)
                : shape.rank() < 2
                    ? shape.elements()
                    : shape.elements() / Math.max(1, shape.dim(0));
    if (length > MAX_ROW) {
      throw new UnsupportedException(
          "tensor '%s' has rows of %,d values; Graft folds up to %,d"
              .formatted(tensor.outputName(), length, MAX_ROW));
    }
    return (int) Math.max(1, length);
  }

  private static boolean ofExperts(FoldedTensor tensor) {
    return tensor.parts().stream().anyMatch(p -> p.change() instanceof Change.Experts);
  }

  private static boolean isCopied(FoldedTensor tensor) {
    return tensor.parts().stream()
        .allMatch(p ->
            p.region().isAll()
                && p.change() instanceof Change.Whole whole
                && whole.turn() == Turn.AS_IS);
  }

  private RowSource rows(FoldedTensor tensor, int rowLength) {
    List<RowSource> parts = tensor.parts().stream().map(p -> rows(tensor, p, rowLength)).toList();
    return together(parts, tensor.parts().stream().map(Part::region).toList());
  }

  /** The changes of one tensor, each in its region. */
  static RowSource together(List<RowSource> parts, List<Region> regions) {
    if (parts.size() == 1) {
      return parts.getFirst();
    }
    boolean stacked = regions.stream().allMatch(Region::isAll);
    return stacked ? new StackedRows(parts) : new SeveralRows(parts);
  }

  private RowSource rows(FoldedTensor tensor, Part part, int rowLength) {
    int length = part.region().rowLength(rowLength);
    RowSource rows =
        switch (part.change()) {
          case Change.LowRank lowRank -> LowRankRows.of(lowRank, adapter);
          case Change.Dora dora ->
              DoraRows.of(
                  dora,
                  LowRankRows.of(dora.lowRank(), adapter),
                  adapter.read(dora.magnitude(), dora.lowRank().outputs()));
          case Change.Experts experts -> new ExpertRows(experts, tensor.shape().dim(1), adapter);
          case Change.Rows some -> ReplacedRows.of(some, adapter);
          case Change.Whole whole -> new WholeRows(whole, length);
          case Change.Shift shift ->
              new ShiftRows(adapter.read(shift.value(), shift.outputs()), shift.scale());
        };
    return part.region().isAll() ? rows : new RegionRows(rows, part.region(), rowLength);
  }

  @Override
  public void close() {
    arena.close();
  }
}

package dev.graft.fold;

import dev.graft.io.Progress;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Proves a merged file against its base and adapter, tensor by tensor and without a runtime: what
 * the adapter touches is the fold, everything else is the base, byte for byte.
 */
public final class FoldCheck {

  private static final int BLOCK_BYTES = 1 << 20;

  private final MergePlan plan;
  private final OnnxModel merged;
  private final Progress progress;

  /**
   * Prepares a check.
   *
   * @param plan the merge as it should have been done
   * @param merged the file to prove
   * @param progress told of the bytes compared
   */
  public FoldCheck(MergePlan plan, Path merged, Progress progress) {
    this.plan = plan;
    this.merged = OnnxModel.open(merged);
    this.progress = progress;
  }

  /**
   * A tensor that is not what it should be.
   *
   * @param name its name in the merged file
   * @param expected {@code "fold"} or {@code "base"}
   * @param found what differs
   */
  public record Difference(String name, String expected, String found) {}

  /**
   * What a check found.
   *
   * @param folded tensors that are the fold
   * @param unchanged tensors that are the base's
   * @param bytes bytes compared
   * @param nodes nodes that are the base's, or what the merge makes of them
   * @param differences everything that is not as it should be
   */
  public record Report(
      int folded, int unchanged, long bytes, int nodes, List<Difference> differences) {

    /** Whether the file is exactly what the merge makes. */
    public boolean holds() {
      return differences.isEmpty();
    }
  }

  /** Compares everything. */
  public Report run() {
    List<Difference> differences = new ArrayList<>();
    int nodes = Structure.compare(plan.model(), plan.edits(), merged, differences);
    Map<String, List<StoredTensor>> found = new HashMap<>();
    for (StoredTensor tensor : merged.tensors()) {
      found.computeIfAbsent(tensor.label(), n -> new ArrayList<>()).add(tensor);
    }
    IdentityHashMap<StoredTensor, FoldedTensor> inPlace = plan.inPlace();
    List<FoldedTensor> added = plan.tensors().stream().filter(FoldedTensor::isAdded).toList();
    long bytes = 0;
    try (SourceFiles baseFiles = new SourceFiles(plan.model());
        SourceFiles mergedFiles = new SourceFiles(merged);
        AdapterValues adapter = new AdapterValues();
        TensorFolder folder = new TensorFolder(adapter, Recording.NONE, TensorFolder.BLOCK_BYTES)) {
      Comparison comparison = new Comparison(baseFiles, mergedFiles, folder, differences);
      for (StoredTensor tensor : plan.model().tensors()) {
        StoredTensor other = take(found, tensor.label(), differences);
        FoldedTensor folded = inPlace.get(tensor);
        if (other != null && folded != null) {
          comparison.folded(folded, other);
        } else if (other != null) {
          comparison.unchanged(tensor, other);
        }
        bytes += tensor.source().map(s -> s.length()).orElse(0L);
      }
      for (FoldedTensor extra : added) {
        StoredTensor other = take(found, extra.outputName(), differences);
        if (other != null) {
          comparison.folded(extra, other);
        }
        bytes += extra.lengthBytes();
      }
    }
    found.forEach((name, rest) ->
        rest.forEach(t -> differences.add(new Difference(name, "nothing", "a tensor more"))));
    return new Report(
        inPlace.size() + added.size(),
        plan.model().tensors().size() - inPlace.size(),
        bytes,
        nodes,
        List.copyOf(differences));
  }

  private static @Nullable StoredTensor take(
      Map<String, List<StoredTensor>> found, String name, List<Difference> differences) {
    List<StoredTensor> same = found.getOrDefault(name, List.of());
    if (same.isEmpty()) {
      differences.add(new Difference(name, "a tensor", "nothing"));
      return null;
    }
    return same.removeFirst();
  }

  /** Compares single tensors. */
  private final class Comparison {
    private final SourceFiles baseFiles;
    private final SourceFiles mergedFiles;
    private final TensorFolder folder;
    private final List<Difference> differences;
    private byte[] buffer = new byte[0];

    Comparison(
        SourceFiles baseFiles,
        SourceFiles mergedFiles,
        TensorFolder folder,
        List<Difference> differences) {
      this.baseFiles = baseFiles;
      this.mergedFiles = mergedFiles;
      this.folder = folder;
      this.differences = differences;
    }

    void folded(FoldedTensor expected, StoredTensor found) {
      Kind kind = new Kind(expected.outputName(), expected.dtype().onnxCode(), expected.shape());
      if (!isOf(kind, found, "fold")) {
        return;
      }
      TensorFolder.Source source = mergedFiles.bytes(found);
      Tally tally = new Tally(expected.dtype().bits() / 8);
      folder.fold(
          expected,
          baseFiles.start(expected),
          (block, offset) -> {
            MemorySegment other = room(block.byteSize());
            source.bytes().readFully(other, source.offset() + offset);
            tally.compare(block, other, offset);
          },
          progress);
      tally.report(expected.outputName(), "fold", differences);
    }

    void unchanged(StoredTensor expected, StoredTensor found) {
      Kind kind = new Kind(expected.label(), expected.proto().getDataType(), expected.shape());
      if (!isOf(kind, found, "base")) {
        return;
      }
      TensorFolder.Source from = baseFiles.stored(expected);
      TensorFolder.Source to = mergedFiles.stored(found);
      long total = SourceFiles.storedLength(expected);
      if (total != SourceFiles.storedLength(found)) {
        differences.add(new Difference(expected.label(), "base", "data of another length"));
        return;
      }
      Tally tally = new Tally(1);
      byte[] left = new byte[(int) Math.min(BLOCK_BYTES, total)];
      byte[] right = new byte[left.length];
      for (long done = 0; done < total; done += left.length) {
        long count = Math.min(left.length, total - done);
        MemorySegment a = MemorySegment.ofArray(left).asSlice(0, count);
        MemorySegment b = MemorySegment.ofArray(right).asSlice(0, count);
        from.bytes().readFully(a, from.offset() + done);
        to.bytes().readFully(b, to.offset() + done);
        tally.compare(a, b, done);
        progress.advance(count);
      }
      tally.report(expected.label(), "base", differences);
    }

    private MemorySegment room(long bytes) {
      if (buffer.length < bytes) {
        buffer = new byte[Math.toIntExact(bytes)];
      }
      return MemorySegment.ofArray(buffer).asSlice(0, bytes);
    }

    private boolean isOf(Kind expected, StoredTensor found, String what) {
      boolean same =
          expected.type() == found.proto().getDataType() && expected.shape().equals(found.shape());
      if (!same) {
        differences.add(
            new Difference(
                expected.name(),
                what,
                "type %d %s instead of %d %s"
                    .formatted(
                        found.proto().getDataType(),
                        found.shape(),
                        expected.type(),
                        expected.shape())));
      }
      return same;
    }
  }

  /** What a tensor should be, its type by ONNX's number. */
  private record Kind(String name, int type, Shape shape) {}

  /** Counts differing elements. */
  private static final class Tally {
    private final int elementBytes;
    private long differing;
    private long first = -1;

    Tally(int elementBytes) {
      this.elementBytes = elementBytes;
    }

    void compare(MemorySegment expected, MemorySegment found, long offset) {
      long from = expected.mismatch(found);
      while (from >= 0) {
        long element = from / elementBytes;
        first = first < 0 ? offset / elementBytes + element : first;
        differing++;
        long next = (element + 1) * elementBytes;
        long length = expected.byteSize();
        long step =
            next >= length
                ? -1
                : MemorySegment.mismatch(expected, next, length, found, next, length);
        from = step < 0 ? -1 : next + step;
      }
    }

    void report(String name, String expected, List<Difference> differences) {
      if (differing > 0) {
        differences.add(
            new Difference(
                name,
                expected,
                "%d elements differ, the first at index %d".formatted(differing, first)));
      }
    }
  }
}

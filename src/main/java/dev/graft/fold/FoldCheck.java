package dev.graft.fold;

import dev.graft.io.Progress;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.StoredTensor;
import dev.graft.onnx.proto.FunctionProto;
import dev.graft.onnx.proto.NodeProto;
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
   * @param nodes nodes that are the base's
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
    int nodes = compareNodes(differences);
    Map<String, List<StoredTensor>> found = new HashMap<>();
    for (StoredTensor tensor : merged.tensors()) {
      found.computeIfAbsent(tensor.label(), n -> new ArrayList<>()).add(tensor);
    }
    IdentityHashMap<StoredTensor, FoldedTensor> inPlace = plan.inPlace();
    List<FoldedTensor> copies =
        plan.tensors().stream().filter(t -> t.copyName().isPresent()).toList();
    long bytes = 0;
    try (SourceFiles baseFiles = new SourceFiles(plan.model());
        SourceFiles mergedFiles = new SourceFiles(merged);
        AdapterValues adapter = new AdapterValues();
        TensorFolder folder = new TensorFolder(adapter, TensorFolder.BLOCK_BYTES)) {
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
      for (FoldedTensor copy : copies) {
        StoredTensor other = take(found, copy.outputName(), differences);
        if (other != null) {
          comparison.folded(copy, other);
        }
        bytes += copy.lengthBytes();
      }
    }
    found.forEach((name, rest) ->
        rest.forEach(t -> differences.add(new Difference(name, "nothing", "a tensor more"))));
    return new Report(
        inPlace.size() + copies.size(),
        plan.model().tensors().size() - inPlace.size(),
        bytes,
        nodes,
        List.copyOf(differences));
  }

  private int compareNodes(List<Difference> differences) {
    PlainNodes expected = new PlainNodes(plan::movedInputs);
    PlainNodes found = new PlainNodes(node -> Map.of());
    int equal =
        compareNodes(
            expected.of(plan.model().proto().getGraph().getNodeList()),
            found.of(merged.proto().getGraph().getNodeList()),
            differences);
    List<FunctionProto> functions = plan.model().proto().getFunctionsList();
    List<FunctionProto> others = merged.proto().getFunctionsList();
    if (functions.size() != others.size()) {
      differences.add(new Difference("functions", "base", others.size() + " functions"));
      return equal;
    }
    for (int i = 0; i < functions.size(); i++) {
      equal +=
          compareNodes(
              expected.of(functions.get(i).getNodeList()),
              found.of(others.get(i).getNodeList()),
              differences);
    }
    return equal;
  }

  private static int compareNodes(
      List<NodeProto> base, List<NodeProto> other, List<Difference> differences) {
    if (base.size() != other.size()) {
      differences.add(
          new Difference("graph", "base", other.size() + " nodes instead of " + base.size()));
      return 0;
    }
    int equal = 0;
    for (int i = 0; i < base.size(); i++) {
      if (base.get(i).equals(other.get(i))) {
        equal++;
      } else {
        differences.add(
            new Difference("node '" + base.get(i).getName() + "'", "base", "another node"));
      }
    }
    return equal;
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
      if (!sameKind(expected.base(), found, "fold")) {
        return;
      }
      TensorFolder.Source source = mergedFiles.bytes(found);
      Tally tally = new Tally(expected.base().dtype().bits() / 8);
      folder.fold(
          expected,
          baseFiles.bytes(expected.base()),
          (block, offset) -> {
            MemorySegment other = room(block.byteSize());
            source.bytes().readFully(other, source.offset() + offset);
            tally.compare(block, other, offset);
          },
          progress);
      tally.report(expected.outputName(), "fold", differences);
    }

    void unchanged(StoredTensor expected, StoredTensor found) {
      if (!sameKind(expected, found, "base")) {
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

    private boolean sameKind(StoredTensor expected, StoredTensor found, String what) {
      boolean same =
          expected.proto().getDataType() == found.proto().getDataType()
              && expected.shape().equals(found.shape());
      if (!same) {
        differences.add(
            new Difference(
                expected.label(),
                what,
                "type %d %s instead of %d %s"
                    .formatted(
                        found.proto().getDataType(),
                        found.shape(),
                        expected.proto().getDataType(),
                        expected.shape())));
      }
      return same;
    }
  }

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

package dev.graft.fold;

import dev.graft.onnx.FilePlan;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.Piece;
import dev.graft.tensor.TensorSource;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;

/**
 * Where each byte of a base's files is in the merged ones: a plan of the merged files read
 * backwards. What they do not have is left to be kept.
 */
final class BaseLayout {

  /** A range of a base file, and where it is now. */
  sealed interface Range {

    /** The first byte in the base's file. */
    long start();

    /** How many bytes. */
    long length();

    /** Unchanged in a merged file, counted from 0, at an offset. */
    record Copied(long start, long length, int file, long offset) implements Range {}

    /** Changed there. */
    record Changed(long start, long length, FoldedTensor tensor, UndoIndex.Place place)
        implements Range {}

    /** Nowhere. */
    record Lost(long start, long length) implements Range {}
  }

  private final Map<Path, List<Range>> found = new HashMap<>();

  private BaseLayout() {}

  /**
   * Reads plans backwards.
   *
   * @param base the model that they were made for
   * @param merged plans of the merged files, the model's first
   * @return for each location of the base, the model's own (empty) first, ranges without a gap
   */
  static SequencedMap<String, List<Range>> of(
      OnnxModel base, List<FilePlan> merged, Map<Path, Long> lengths) {
    BaseLayout layout = new BaseLayout();
    for (int file = 0; file < merged.size(); file++) {
      layout.read(merged.get(file), file);
    }
    SequencedMap<String, List<Range>> ranges = new LinkedHashMap<>();
    ranges.put("", layout.complete(base.path(), base.fileLength()));
    base.dataFiles()
        .forEach((location, path) ->
            ranges.put(
                location,
                layout.complete(path, Optional.ofNullable(lengths.get(path)).orElseThrow())));
    return ranges;
  }

  private void read(FilePlan plan, int file) {
    long position = 0;
    for (Piece piece : plan.pieces()) {
      if (piece instanceof Piece.Copied copied) {
        add(copied.from(), new Range.Copied(copied.offset(), copied.lengthBytes(), file, position));
      } else if (piece instanceof Piece.Produced(FoldedTensor tensor)
          && UndoRecording.isUndone(tensor)) {
        TensorSource source = tensor.start().flatMap(t -> t.source()).orElseThrow();
        add(
            source.file(),
            new Range.Changed(
                source.offset(),
                source.length(),
                tensor,
                new UndoIndex.Place(file, position, source.length())));
      }
      position += piece.lengthBytes();
    }
  }

  private void add(Path file, Range range) {
    if (range.length() > 0) {
      found.computeIfAbsent(file, f -> new ArrayList<>()).add(range);
    }
  }

  /** Orders the ranges of a file, leaves out what is there twice and names what is missing. */
  private List<Range> complete(Path file, long length) {
    List<Range> ranges = new ArrayList<>(found.getOrDefault(file, List.of()));
    ranges.sort(Comparator.comparingLong(Range::start));
    List<Range> complete = new ArrayList<>();
    long end = 0;
    for (Range range : ranges) {
      if (range.start() < end) {
        continue;
      }
      if (range.start() > end) {
        complete.add(new Range.Lost(end, range.start() - end));
      }
      complete.add(range);
      end = range.start() + range.length();
    }
    if (end < length) {
      complete.add(new Range.Lost(end, length - end));
    }
    return complete;
  }
}

package dev.graft.fold;

import com.google.protobuf.ByteString;
import dev.graft.io.ByteSource;
import dev.graft.io.Sha256;
import dev.graft.onnx.FilePlan;
import dev.graft.onnx.Piece;
import dev.graft.onnx.ThinRecord;
import dev.graft.onnx.ThinRecord.FileLayout;
import dev.graft.onnx.ThinRecord.OwnData;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * An ordinary merge, taken apart: what is the base's stays where it is, new tensors go into a data
 * file, each at a page of its own, and behind them the bytes with which the fold changes the graph.
 */
final class ThinLayout {

  /** As ONNX recommends, so that readers can map a tensor by itself. */
  private static final int ALIGNMENT = 4096;

  private final List<FileLayout> files = new ArrayList<>();
  private final List<Piece> data = new ArrayList<>();
  private final IdentityHashMap<Piece, Long> offsets = new IdentityHashMap<>();
  private final ByteString literals;
  private final long literalsOffset;

  /**
   * Takes a merge apart.
   *
   * @param plans what the output of the ordinary merge consists of, by location
   * @param base the base's files, the model first
   * @param tensors the changed tensors as the provenance has them
   */
  ThinLayout(SequencedMap<String, FilePlan> plans, List<Path> base, List<FoldedTensor> tensors) {
    long end = 0;
    for (FilePlan plan : plans.values()) {
      for (Piece piece : plan.pieces()) {
        if (piece instanceof Piece.Produced && piece.lengthBytes() > 0) {
          end = addTensor(piece, end);
        }
      }
    }
    this.literalsOffset = end;
    ByteString literal = ByteString.EMPTY;
    for (FilePlan plan : plans.values()) {
      for (Piece piece : plan.pieces()) {
        if (piece instanceof Piece.Literal(ByteString bytes)) {
          offsets.put(piece, end + literal.size());
          literal = literal.concat(bytes);
        }
      }
    }
    this.literals = literal;
    if (!literal.isEmpty()) {
      data.add(new Piece.Literal(literal));
    }
    Numbers numbers = new Numbers(base, tensors);
    // The model comes last in a plan and first in the record.
    files.add(numbers.layout("", plans));
    plans.keySet().stream()
        .filter(location -> !location.isEmpty())
        .forEach(location -> files.add(numbers.layout(location, plans)));
  }

  private long addTensor(Piece piece, long end) {
    long offset = Math.ceilDiv(end, ALIGNMENT) * ALIGNMENT;
    if (offset > end) {
      data.add(new Piece.Literal(ByteString.copyFrom(new byte[(int) (offset - end)])));
    }
    data.add(piece);
    offsets.put(piece, offset);
    return offset + piece.lengthBytes();
  }

  /** By which numbers a record names files and tensors. */
  private final class Numbers {
    private final List<Path> base;
    private final IdentityHashMap<Object, Integer> tensors = new IdentityHashMap<>();

    Numbers(List<Path> base, List<FoldedTensor> folded) {
      this.base = base;
      folded.forEach(tensor -> tensors.put(tensor, tensors.size()));
    }

    FileLayout layout(String location, Map<String, FilePlan> plans) {
      List<List<Long>> pieces = new ArrayList<>();
      for (Piece piece : plans.getOrDefault(location, new FilePlan(List.of())).pieces()) {
        if (piece.lengthBytes() > 0) {
          pieces.add(numbers(piece));
        }
      }
      return new FileLayout(location, pieces);
    }

    private List<Long> numbers(Piece piece) {
      long length = piece.lengthBytes();
      return switch (piece) {
        case Piece.Copied(Path from, long offset, _) ->
            List.of(ThinRecord.BASE, (long) base.indexOf(from), offset, length);
        case Piece.Literal _ -> List.of(ThinRecord.OWN, offset(piece), length, -1L);
        case Piece.Produced(Object content) ->
            List.of(ThinRecord.OWN, offset(piece), length, (long) number(content));
        case Piece.Deferred _ -> List.of(ThinRecord.PROVENANCE, length);
      };
    }

    private int number(Object content) {
      return tensors.getOrDefault(content, -1);
    }
  }

  private long offset(Piece piece) {
    return offsets.getOrDefault(piece, -1L);
  }

  /** The files of the model that stands alone. */
  List<FileLayout> files() {
    return files;
  }

  /** The data file. */
  FilePlan data() {
    return new FilePlan(data);
  }

  /** The data file under a name. */
  OwnData own(String location) {
    Sha256 hash = new Sha256();
    hash.update(MemorySegment.ofArray(literals.toByteArray()));
    return new OwnData(location, literalsOffset + literals.size(), literalsOffset, hash.hex());
  }

  /** The data file before it is written, with zeros in the place of the tensors. */
  ByteSource draft(Path path) {
    return new Draft(path, MemorySegment.ofArray(literals.toByteArray()), literalsOffset);
  }

  private record Draft(Path path, MemorySegment literals, long literalsOffset)
      implements ByteSource {
    @Override
    public long size() {
      return literalsOffset + literals.byteSize();
    }

    @Override
    public void readFully(MemorySegment into, long position) {
      into.fill((byte) 0);
      long from = Math.max(position, literalsOffset);
      long to = Math.min(position + into.byteSize(), size());
      if (from < to) {
        MemorySegment.copy(literals, from - literalsOffset, into, from - position, to - from);
      }
    }
  }
}

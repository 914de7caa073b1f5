package dev.graft.onnx;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Replacements of byte ranges in a protobuf file. The length prefixes of all messages around a
 * change are mended; every other byte is copied.
 */
final class WirePatch {

  /** Bytes {@code start} to {@code end} of the file become {@code pieces}. */
  private record Edit(long start, long end, List<Piece> pieces) {
    long growth() {
      return pieces.stream().mapToLong(Piece::lengthBytes).sum() - (end - start);
    }
  }

  private final Path file;
  private final MessageSpan root;
  private final List<Edit> edits = new ArrayList<>();
  private final IdentityHashMap<MessageSpan, Long> growth = new IdentityHashMap<>();
  private final IdentityHashMap<MessageSpan, Set<MessageSpan>> changedChildren =
      new IdentityHashMap<>();

  WirePatch(Path file, MessageSpan root) {
    this.file = file;
    this.root = root;
  }

  /**
   * Replaces a range that lies directly in {@code within}, i.e. in none of its sub-messages that
   * are patched as well. An empty range inserts.
   */
  void replace(MessageSpan within, long start, long end, Piece... pieces) {
    Edit edit = new Edit(start, end, List.of(pieces));
    edits.add(edit);
    growth.merge(within, edit.growth(), Long::sum);
    for (MessageSpan span = within; span.parent().isPresent(); span = span.parent().orElseThrow()) {
      Set<MessageSpan> siblings =
          changedChildren.computeIfAbsent(
              span.parent().orElseThrow(), s -> Collections.newSetFromMap(new IdentityHashMap<>()));
      if (!siblings.add(span)) {
        return;
      }
    }
  }

  /** The patched file. */
  FilePlan plan() {
    List<Edit> all = new ArrayList<>(edits);
    mendLengths(root, all);
    all.sort(Comparator.comparingLong(Edit::start));
    List<Piece> pieces = new ArrayList<>();
    long copied = 0;
    for (Edit edit : all) {
      if (edit.start() < copied) {
        throw new IllegalStateException(
            "two edits overlap at byte " + edit.start() + " of " + file);
      }
      if (edit.start() > copied) {
        pieces.add(new Piece.Copied(file, copied, edit.start() - copied));
      }
      pieces.addAll(edit.pieces());
      copied = edit.end();
    }
    if (root.bodyEnd() > copied) {
      pieces.add(new Piece.Copied(file, copied, root.bodyEnd() - copied));
    }
    return new FilePlan(pieces);
  }

  /**
   * Adds edits for the length prefixes below {@code span} and returns by how much its body grows.
   */
  private long mendLengths(MessageSpan span, List<Edit> all) {
    long grown = growth.getOrDefault(span, 0L);
    for (MessageSpan child : changedChildren.getOrDefault(span, Set.of())) {
      long length = child.bodyEnd() - child.bodyStart() + mendLengths(child, all);
      byte[] prefix = WireBytes.varint(length);
      grown += length - (child.bodyEnd() - child.bodyStart());
      if (length != child.bodyEnd() - child.bodyStart()) {
        Edit mend =
            new Edit(child.lengthStart(), child.bodyStart(), List.of(Piece.Literal.of(prefix)));
        all.add(mend);
        grown += mend.growth();
      }
    }
    return grown;
  }
}

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

  private static final int MODEL_METADATA = 14;

  /**
   * Where several edits begin at one byte, what is inserted goes before what is replaced, and into
   * the innermost message first: that message ends there, the outer ones go on.
   */
  private static final Comparator<Edit> ORDER =
      Comparator.comparingLong(Edit::start)
          .thenComparingLong(Edit::end)
          .thenComparing(Edit::depth, Comparator.reverseOrder());

  /** Bytes {@code start} to {@code end} of the file become {@code pieces}. */
  private record Edit(long start, long end, int depth, List<Piece> pieces) {
    long growth() {
      long growth = start - end;
      for (Piece piece : pieces) {
        growth += piece.lengthBytes();
      }
      return growth;
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
  void replace(MessageSpan within, FieldRange range, Piece... pieces) {
    Edit edit = new Edit(range.start(), range.end(), within.depth(), List.of(pieces));
    edits.add(edit);
    growth.merge(within, edit.growth(), Long::sum);
    for (MessageSpan span = within; span.parent().isPresent(); span = span.parent().get()) {
      Set<MessageSpan> siblings =
          changedChildren.computeIfAbsent(
              span.parent().get(), s -> Collections.newSetFromMap(new IdentityHashMap<>()));
      if (!siblings.add(span)) {
        return;
      }
    }
  }

  /** Adds a metadata entry at the end, whose value of so many bytes is given later. */
  void appendMetadata(String key, int valueBytes) {
    byte[] keyField = new WireBytes().string(1, key).toByteArray();
    byte[] valueHeader = WireBytes.header(2, valueBytes);
    long length = keyField.length + valueHeader.length + (long) valueBytes;
    replace(
        root,
        FieldRange.endOf(root),
        Piece.Literal.of(WireBytes.header(MODEL_METADATA, length)),
        Piece.Literal.of(keyField),
        Piece.Literal.of(valueHeader),
        new Piece.Deferred(valueBytes));
  }

  /** The patched file. */
  FilePlan plan() {
    List<Edit> all = new ArrayList<>(edits);
    mendLengths(root, all);
    all.sort(ORDER);
    List<Piece> pieces = new ArrayList<>(2 * all.size() + 1);
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
      long before = child.bodyEnd() - child.bodyStart();
      long after = before + mendLengths(child, all);
      if (after != before) {
        Piece prefix = Piece.Literal.of(WireBytes.varint(after));
        Edit mend = new Edit(child.lengthStart(), child.bodyStart(), span.depth(), List.of(prefix));
        all.add(mend);
        grown += after - before + mend.growth();
      }
    }
    return grown;
  }
}

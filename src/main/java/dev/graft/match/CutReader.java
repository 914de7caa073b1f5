package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.match.AttentionRoles.Role;
import dev.graft.match.Cut.Finding;
import dev.graft.match.PackedNames.Kind;
import dev.graft.onnx.proto.AttributeProto;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Reads from the operators behind a packed product where its parts begin: from the heads of a fused
 * attention, the sizes of a Split, the bounds of Slices.
 */
final class CutReader {

  private static final int MAX_STEPS = 16;

  private final ModelGraph graph;
  private final AttentionRoles roles;

  CutReader(ModelGraph graph) {
    this.graph = graph;
    this.roles = new AttentionRoles(graph);
  }

  /** One part as the graph takes it from the product. */
  private record Piece(long from, long to, Value value) {}

  /** Looks behind every operator that reads the weight; all of them have to agree. */
  Finding read(List<Site> pack, Kind kind) {
    List<Finding> findings = pack.stream().map(s -> read(s, kind)).distinct().toList();
    return findings.size() == 1
        ? findings.getFirst()
        : new Finding.Refused("the operators that read it are cut in different ways");
  }

  private Finding read(Site site, Kind kind) {
    GraphNode node = site.node();
    long total = site.layout().out(site.shape());
    if (AttentionOps.projects(node)) {
      return kind == Kind.QKV ? attention(node, total) : strange(node);
    }
    List<Use> readers = readers(node);
    if (readers.isEmpty()) {
      return new Finding.Open("nothing reads the product of " + node);
    }
    GraphNode first = readers.getFirst().node();
    if (readers.size() == 1 && AttentionOps.takesProjected(first)) {
      return kind == Kind.QKV ? fused(readers.getFirst(), total) : strange(first);
    }
    if (readers.size() == 1 && first.operator().equals("Split")) {
      return split(first, kind, total);
    }
    if (readers.stream().allMatch(u -> u.node().operator().equals("Slice"))) {
      return slices(readers, kind, total);
    }
    return readers.stream().anyMatch(u -> rearranges(u.node()))
        ? new Finding.Refused(
            first + " rearranges its product before it is cut, so heads may lie interleaved in it")
        : new Finding.Open("no operator behind it says where its parts begin");
  }

  /** The readers of a product, of the sum with its bias where it has one. */
  private List<Use> readers(GraphNode node) {
    Optional<Value> at = node.output().map(o -> new Value(node.scope(), o));
    List<Use> readers = List.of();
    for (int i = 0; at.isPresent() && i < MAX_STEPS; i++) {
      readers =
          graph.uses(at.get()).stream().filter(u -> !u.node().operator().equals("Shape")).toList();
      at =
          readers.size() == 1 && handsOn(readers.getFirst())
              ? output(readers.getFirst().node())
              : Optional.empty();
    }
    return readers;
  }

  private static Optional<Value> output(GraphNode node) {
    return node.output().map(o -> new Value(node.scope(), o));
  }

  private static boolean handsOn(Use use) {
    GraphNode node = use.node();
    return switch (node.operator()) {
      case "Identity", "Cast" -> true;
      case "Add" ->
          node.input(1 - use.input())
              .flatMap(node.scope()::resolve)
              .flatMap(ModelGraph::stored)
              .filter(t -> t.shape().rank() == 1)
              .isPresent();
      default -> false;
    };
  }

  private static boolean rearranges(GraphNode node) {
    return node.operator().equals("Reshape") || node.operator().equals("Transpose");
  }

  private static Finding strange(GraphNode node) {
    return new Finding.Refused(node + " reads it, which takes query, key and value");
  }

  private static Finding attention(GraphNode node, long total) {
    List<Long> sizes =
        node.attribute("qkv_hidden_sizes").map(AttributeProto::getIntsList).orElse(List.of());
    if (!sizes.isEmpty()) {
      return checked(sizes, 3, total, "qkv_hidden_sizes of " + node);
    }
    return total % 3 == 0
        ? checked(Collections.nCopies(3, total / 3), 3, total, node.toString())
        : new Finding.Refused(node + " needs three equal parts, but it has " + total + " outputs");
  }

  private static Finding fused(Use use, long total) {
    GraphNode node = use.node();
    if (!AttentionOps.isPacked(node, use.input())) {
      return new Finding.Refused(node + " takes it as one of its query, key and value");
    }
    if (!AttentionOps.isGrouped(node)) {
      return new Finding.Refused(
          node + " takes query, key and value interleaved head by head, not in blocks");
    }
    long heads = node.intAttribute("num_heads", 0);
    long keyHeads = node.intAttribute("kv_num_heads", 0);
    boolean inBounds = 0 < heads && heads <= total && 0 < keyHeads && keyHeads <= total;
    long all = inBounds ? heads + 2 * keyHeads : 1;
    if (!inBounds || total % all != 0) {
      return new Finding.Refused(
          "%s has num_heads %d and kv_num_heads %d, which do not divide its %d outputs"
              .formatted(node, heads, keyHeads, total));
    }
    long size = total / all;
    return checked(
        List.of(heads * size, keyHeads * size, keyHeads * size),
        3,
        total,
        "num_heads and kv_num_heads of " + node);
  }

  private Finding split(GraphNode node, Kind kind, long total) {
    int parts = node.part().proto().getOutputCount();
    if (node.intAttribute("axis", 0) == 0) {
      return new Finding.Refused(node + " cuts another axis than that of the outputs");
    }
    Optional<List<Long>> sizes =
        node.input(1).isPresent()
            ? StoredIntegers.at(node, 1)
            : node.attribute("split").map(AttributeProto::getIntsList);
    if (sizes.isEmpty() && node.input(1).isPresent()) {
      return new Finding.Open("the sizes of " + node + " are no constants of the model file");
    }
    List<Long> widths = sizes.orElseGet(() -> equal(total, parts));
    List<Piece> pieces = new ArrayList<>();
    long from = 0;
    if (widths.stream().anyMatch(w -> w < 0 || w > total)) {
      return new Finding.Refused("%s are %s, but it has %d outputs".formatted(node, widths, total));
    }
    for (int i = 0; i < Math.min(parts, widths.size()); i++) {
      long to = from + widths.get(i);
      pieces.add(new Piece(from, to, new Value(node.scope(), node.part().proto().getOutput(i))));
      from = to;
    }
    return pieces(pieces, kind, total, "the sizes of " + node);
  }

  /** Without sizes all parts are equal but for a smaller last one. */
  private static List<Long> equal(long total, int parts) {
    long width = Math.ceilDiv(total, Math.max(1, parts));
    List<Long> widths = new ArrayList<>();
    for (long done = 0; done < total; done += width) {
      widths.add(Math.min(width, total - done));
    }
    return widths;
  }

  private Finding slices(List<Use> readers, Kind kind, long total) {
    List<Piece> pieces = new ArrayList<>();
    for (Use use : readers) {
      GraphNode node = use.node();
      Optional<Long> from = one(node, 1);
      Optional<Long> to = one(node, 2);
      Optional<Long> axis = one(node, 3);
      Optional<Long> step = node.input(4).isPresent() ? one(node, 4) : Optional.of(1L);
      Optional<Value> value = output(node);
      if (from.isEmpty() || to.isEmpty() || axis.isEmpty() || step.isEmpty() || value.isEmpty()) {
        return new Finding.Open("the bounds of " + node + " are no constants of the model file");
      }
      if (step.get() != 1) {
        return new Finding.Refused(
            node + " takes every " + step.get() + ". output, so its parts lie interleaved");
      }
      if (axis.get() == 0) {
        return new Finding.Refused(node + " cuts another axis than that of the outputs");
      }
      pieces.add(new Piece(bound(from.get(), total), bound(to.get(), total), value.get()));
    }
    pieces.sort(Comparator.comparingLong(Piece::from));
    return pieces(pieces, kind, total, "the bounds of " + readers.getFirst().node());
  }

  private Optional<Long> one(GraphNode node, int input) {
    return StoredIntegers.at(node, input).filter(v -> v.size() == 1).map(List::getFirst);
  }

  private static long bound(long value, long total) {
    return Math.clamp(value < 0 ? value + total : value, 0, total);
  }

  private Finding pieces(List<Piece> pieces, Kind kind, long total, String source) {
    long at = 0;
    for (int i = 0; i < pieces.size(); i++) {
      Piece piece = pieces.get(i);
      Optional<Role> role = kind == Kind.QKV ? roles.of(piece.value()) : Optional.empty();
      if (role.isPresent() && (i >= kind.parts() || role.get() != Role.at(i))) {
        return new Finding.Refused(
            "its parts do not lie in the order query, key, value: part %d by %s is the %s"
                .formatted(i + 1, source, role.get().label()));
      }
      if (piece.from() != at) {
        return new Finding.Refused(source + " leave gaps or overlap");
      }
      at = piece.to();
    }
    List<Long> widths = pieces.stream().map(p -> p.to() - p.from()).toList();
    return checked(widths, kind.parts(), total, source);
  }

  private static Finding checked(List<Long> widths, int parts, long total, String source) {
    Cut cut = new Cut(widths, source);
    if (widths.size() != parts || widths.stream().anyMatch(w -> w <= 0 || w > total)) {
      return new Finding.Refused(
          "%s cut its %d outputs into %d parts %s, expected %d"
              .formatted(source, total, widths.size(), widths, parts));
    }
    return cut.total() == total
        ? new Finding.Known(cut)
        : new Finding.Refused(
            "%s are %s, %d together, but it has %d outputs"
                .formatted(source, widths, cut.total(), total));
  }
}

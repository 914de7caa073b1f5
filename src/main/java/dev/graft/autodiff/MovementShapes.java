package dev.graft.autodiff;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Operators that move elements without looking at them. */
final class MovementShapes {

  private MovementShapes() {}

  static void addTo(Map<String, ShapeRule> rules) {
    rules.put("Reshape", MovementShapes::reshaped);
    rules.put("Flatten", MovementShapes::flattened);
    rules.put("Transpose", MovementShapes::transposed);
    rules.put("Squeeze", MovementShapes::squeezed);
    rules.put("Unsqueeze", MovementShapes::unsqueezed);
    rules.put("Expand", MovementShapes::expanded);
    rules.put("Concat", MovementShapes::joined);
    rules.put("Split", MovementShapes::split);
    rules.put("Tile", MovementShapes::tiled);
    rules.put("Pad", MovementShapes::padded);
  }

  private static Facts open(OpNode node) {
    return Facts.unshaped(node.facts(0).type());
  }

  private static List<Facts> reshaped(OpNode node) {
    Facts x = node.facts(0);
    Optional<List<Dim>> target = node.facts(1).content();
    if (target.isEmpty()) {
      return List.of(unnamed(node, node.facts(1).dim(0)));
    }
    boolean zeroIsCopy = node.intAttribute("allowzero", 0) == 0;
    List<Dim> dims = new ArrayList<>();
    int rest = -1;
    for (int i = 0; i < target.get().size(); i++) {
      Dim wish = target.get().get(i);
      if (wish.is(0) && zeroIsCopy) {
        dims.add(x.dim(i).orElse(Dim.named("?%s.%d".formatted(node.proto().getOutput(0), i))));
      } else if (wish.is(-1)) {
        rest = i;
        dims.add(Dim.ONE);
      } else {
        dims.add(wish);
      }
    }
    if (rest >= 0) {
      String name = "?%s.%d".formatted(node.proto().getOutput(0), rest);
      Dim others = Dim.product(dims);
      dims.set(
          rest,
          x.dims()
              .map(Dim::product)
              .flatMap(all -> others.equals(Dim.ZERO) ? Optional.empty() : all.over(others))
              .orElse(Dim.named(name)));
    }
    Facts result = Facts.of(x.type(), dims);
    return List.of(x.content().map(result::holding).orElse(result));
  }

  /** A shape of which only the rank is known. */
  private static Facts unnamed(OpNode node, Optional<Dim> rank) {
    if (rank.isEmpty() || !rank.get().isConstant()) {
      return open(node);
    }
    List<Dim> dims = new ArrayList<>();
    for (int i = 0; i < rank.get().value(); i++) {
      dims.add(Dim.named("?%s.%d".formatted(node.proto().getOutput(0), i)));
    }
    return Facts.of(node.facts(0).type(), dims);
  }

  private static List<Facts> flattened(OpNode node) {
    Facts x = node.facts(0);
    if (x.dims().isEmpty()) {
      return List.of(open(node));
    }
    List<Dim> dims = x.dims().get();
    int axis = node.axis(1, dims.size());
    Facts result =
        Facts.of(
            x.type(),
            List.of(
                Dim.product(dims.subList(0, axis)), Dim.product(dims.subList(axis, dims.size()))));
    return List.of(result);
  }

  private static List<Facts> transposed(OpNode node) {
    Facts x = node.facts(0);
    if (x.dims().isEmpty()) {
      return List.of(open(node));
    }
    List<Dim> dims = new ArrayList<>();
    for (int place : permutation(node, x.dims().get().size())) {
      dims.add(x.dims().get().get(place));
    }
    return List.of(Facts.of(x.type(), dims));
  }

  /** Which input axis each output axis of a Transpose is. */
  static List<Integer> permutation(OpNode node, int rank) {
    Optional<List<Long>> given = node.intsAttribute("perm");
    if (given.isPresent()) {
      return given.get().stream().map(Math::toIntExact).toList();
    }
    List<Integer> reversed = new ArrayList<>();
    for (int i = rank - 1; i >= 0; i--) {
      reversed.add(i);
    }
    return reversed;
  }

  private static List<Facts> squeezed(OpNode node) {
    Facts x = node.facts(0);
    Optional<long[]> axes = node.integers("axes", 1);
    if (x.dims().isEmpty() || (axes.isEmpty() && !x.isStatic())) {
      return List.of(open(node));
    }
    Set<Integer> gone = new TreeSet<>();
    int rank = x.dims().get().size();
    axes.ifPresent(a -> gone.addAll(places(a, rank)));
    List<Dim> dims = new ArrayList<>();
    for (int i = 0; i < rank; i++) {
      Dim length = x.dims().get().get(i);
      if (!gone.contains(i) && (axes.isPresent() || !length.is(1))) {
        dims.add(length);
      }
    }
    return List.of(new Facts(x.type(), Optional.of(dims), x.content()));
  }

  private static List<Facts> unsqueezed(OpNode node) {
    Facts x = node.facts(0);
    Optional<long[]> axes = node.integers("axes", 1);
    if (x.dims().isEmpty() || axes.isEmpty()) {
      return List.of(open(node));
    }
    int rank = x.dims().get().size() + axes.get().length;
    Set<Integer> fresh = new TreeSet<>(places(axes.get(), rank));
    List<Dim> dims = new ArrayList<>();
    int next = 0;
    for (int i = 0; i < rank; i++) {
      dims.add(fresh.contains(i) ? Dim.ONE : x.dims().get().get(next++));
    }
    return List.of(new Facts(x.type(), Optional.of(dims), x.content()));
  }

  /** Axes counted from the front. */
  static List<Integer> places(long[] axes, int rank) {
    return Arrays.stream(axes).mapToObj(a -> Math.toIntExact(a < 0 ? a + rank : a)).toList();
  }

  private static List<Facts> expanded(OpNode node) {
    Facts x = node.facts(0);
    Optional<List<Dim>> target = node.facts(1).content();
    if (x.dims().isEmpty() || target.isEmpty()) {
      return List.of(
          unnamed(
              node,
              node.facts(1)
                  .dim(0)
                  .filter(
                      d -> x.rank().isPresent() && d.isConstant() && d.value() >= x.rank().get())));
    }
    List<List<Dim>> both = List.of(x.dims().get(), target.get());
    return List.of(
        Facts.of(x.type(), ElementwiseShapes.broadcast(both, node.proto().getOutput(0))));
  }

  private static List<Facts> joined(OpNode node) {
    Facts first = node.facts(0);
    List<Dim> content = new ArrayList<>();
    boolean isHeld = true;
    Dim length = Dim.ZERO;
    for (int i = 0; i < node.inputs(); i++) {
      Facts part = node.facts(i);
      if (part.dims().isEmpty()) {
        return List.of(unnamed(node, first.rank().map(Dim::of)));
      }
      length = length.plus(part.dims().get().get(node.axis(0, part.dims().get().size())));
      isHeld &= part.content().isPresent();
      part.content().ifPresent(content::addAll);
    }
    List<Dim> dims = new ArrayList<>(first.dims().orElseThrow());
    dims.set(node.axis(0, dims.size()), length);
    Facts result = Facts.of(first.type(), dims);
    return List.of(isHeld && dims.size() == 1 ? result.holding(content) : result);
  }

  private static List<Facts> split(OpNode node) {
    Facts x = node.facts(0);
    int parts = node.proto().getOutputCount();
    if (x.dims().isEmpty()) {
      return Collections.nCopies(parts, open(node));
    }
    int axis = node.axis(0, x.dims().get().size());
    List<Facts> results = new ArrayList<>();
    Optional<long[]> lengths = splitLengths(node);
    for (int i = 0; i < parts; i++) {
      List<Dim> dims = new ArrayList<>(x.dims().get());
      String name = "?%s.%d".formatted(node.proto().getOutput(i), axis);
      int part = i;
      dims.set(axis, lengths.map(l -> Dim.of(l[part])).orElse(Dim.named(name)));
      results.add(Facts.of(x.type(), dims));
    }
    return results;
  }

  /** The lengths of a Split's parts, where they are known. */
  static Optional<long[]> splitLengths(OpNode node) {
    Optional<long[]> given = node.integers("split", 1);
    Facts x = node.facts(0);
    if (given.isPresent() || node.hasInput(1) || x.dims().isEmpty()) {
      return given;
    }
    Dim whole = x.dims().get().get(node.axis(0, x.dims().get().size()));
    if (!whole.isConstant()) {
      return Optional.empty();
    }
    int parts = node.proto().getOutputCount();
    long each = Math.ceilDiv(whole.value(), parts);
    long[] lengths = new long[parts];
    Arrays.fill(lengths, each);
    lengths[parts - 1] = whole.value() - each * (parts - 1);
    return Optional.of(lengths);
  }

  private static List<Facts> tiled(OpNode node) {
    Facts x = node.facts(0);
    Optional<List<Dim>> repeats = node.facts(1).content();
    if (x.dims().isEmpty() || repeats.isEmpty()) {
      return List.of(unnamed(node, x.rank().map(Dim::of)));
    }
    List<Dim> dims = new ArrayList<>();
    for (int i = 0; i < x.dims().get().size(); i++) {
      dims.add(x.dims().get().get(i).times(repeats.get().get(i)));
    }
    return List.of(Facts.of(x.type(), dims));
  }

  private static List<Facts> padded(OpNode node) {
    Facts x = node.facts(0);
    Optional<long[]> pads = node.facts(1).numbers();
    if (x.dims().isEmpty() || pads.isEmpty() || node.hasInput(3)) {
      return List.of(unnamed(node, x.rank().map(Dim::of)));
    }
    List<Dim> dims = new ArrayList<>();
    int rank = x.dims().get().size();
    for (int i = 0; i < rank; i++) {
      dims.add(x.dims().get().get(i).plus(Dim.of(pads.get()[i] + pads.get()[i + rank])));
    }
    return List.of(Facts.of(x.type(), dims));
  }
}

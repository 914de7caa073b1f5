package dev.graft.match;

import dev.graft.adapter.Replacement.Origin;
import dev.graft.graph.GraphNode;
import dev.graft.graph.ModelGraph;
import dev.graft.graph.Use;
import dev.graft.graph.Value;
import dev.graft.match.Miss.Cause;
import dev.graft.match.WeightReaders.Reach;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Decides what happens to weights that several modules read. The truth is what the adapter did
 * while it was trained, so a target that shares its bytes with others than its own readers gets a
 * copy of its own.
 */
final class TieSettler {

  private final SiteIndex index;
  private final ModelGraph graph;
  private final WeightReaders readers;

  TieSettler(SiteIndex index) {
    this.index = index;
    this.graph = index.graph();
    this.readers = new WeightReaders(index.graph());
  }

  /** A target's share of one range of bytes. */
  private record Claim(Owner owner, Spot spot, OutputRange outputs) {
    int target() {
      return owner.index();
    }

    boolean disputes(Claim other) {
      return !owner.what().equals(other.owner.what()) && outputs.overlaps(other.outputs);
    }
  }

  /** A target by its place in the list, and what it is the owner of. */
  private record Owner(int index, Object what) {

    /** A bias that was saved whole and moved by lora_bias as well is one parameter all the same. */
    static Owner of(int index, BoundTarget target) {
      return switch (target) {
        case BoundTarget.Whole whole -> new Owner(index, whole.name());
        case BoundTarget.Shift shift -> new Owner(index, shift.name());
        default -> new Owner(index, index);
      };
    }
  }

  /** A range of bytes: the tensors that lie on it, who reads it, and the targets that want it. */
  private static final class Cell {
    private final List<Claim> claims = new ArrayList<>();
    private final Map<Reading, List<Claim>> claimed = new HashMap<>();
    private final Set<Reading> disputed = new HashSet<>();

    /** Modules packed into one weight share its readers and nothing else. */
    void add(Claim claim) {
      claims.add(claim);
      for (Reading reader : claim.spot().readers()) {
        List<Claim> earlier = claimed.computeIfAbsent(reader, r -> new ArrayList<>());
        if (earlier.stream().anyMatch(claim::disputes)) {
          disputed.add(reader);
        }
        earlier.add(claim);
      }
    }

    /** Whether the stored weight itself is for this claim; others have to take a copy. */
    boolean isFirst(Claim claim) {
      Claim first = claims.getFirst();
      return first.target() == claim.target()
          || Set.copyOf(first.spot().readers()).equals(Set.copyOf(claim.spot().readers()));
    }
  }

  /** Gives each target on shared bytes a copy of its own, or notes why that cannot be. */
  List<BoundTarget> settle(TieRule.Extended extended, List<Miss> misses) {
    List<BoundTarget> bound = extended.bound();
    Map<StoredTensor, Cell> cells = new HashMap<>();
    List<List<Spot>> spots = new ArrayList<>();
    for (int i = 0; i < bound.size(); i++) {
      List<Spot> joined = Spots.joined(bound.get(i).place().spots(), index.sharedBytes());
      spots.add(joined);
      for (Spot spot : joined) {
        cells.computeIfAbsent(cellOf(spot), t -> new Cell()).add(claim(i, bound.get(i), spot));
      }
    }
    cells.values().forEach(cell -> cell.disputed.removeAll(extended.stacked()));
    List<BoundTarget> settled = new ArrayList<>();
    for (int i = 0; i < bound.size(); i++) {
      BoundTarget target = bound.get(i);
      List<Spot> done = new ArrayList<>();
      List<String> problems = new ArrayList<>();
      for (Spot spot : spots.get(i)) {
        Cell cell = cells.getOrDefault(cellOf(spot), new Cell());
        settle(target, claim(i, target, spot), cell, problems).ifPresent(done::add);
      }
      if (problems.isEmpty()) {
        settled.add(target.on(target.place().on(done)));
      } else {
        misses.add(new Miss(target.name(), problems.getFirst(), List.of(), Cause.UNSUPPORTED));
      }
    }
    return settled;
  }

  private static Claim claim(int index, BoundTarget target, Spot spot) {
    return new Claim(Owner.of(index, target), spot, target.place().outputs());
  }

  private StoredTensor cellOf(Spot spot) {
    return index.sharedBytes().twins(spot.tensor()).getFirst();
  }

  private Optional<Spot> settle(BoundTarget target, Claim claim, Cell cell, List<String> problems) {
    Spot spot = claim.spot();
    Optional<Reading> merged = spot.readers().stream().filter(cell.disputed::contains).findFirst();
    if (merged.isPresent()) {
      problems.add(
          "%s serves several of the adapter's targets at once; the exporter merged their modules"
              .formatted(merged.get().node()));
      return Optional.empty();
    }
    boolean first = cell.isFirst(claim);
    boolean free = !index.sharedBytes().overlaps(spot.tensor());
    if (first
        && free
        && (staysTied(target, spot) || strangers(spot, cell.claimed.keySet()).isEmpty())) {
      return Optional.of(spot);
    }
    Set<Reading> own = new HashSet<>(spot.readers());
    List<Use> moved = new ArrayList<>();
    for (Value root : spot.roots()) {
      Optional<List<Use>> part = readers.split(root, own::contains);
      if (part.isEmpty() || part.get().isEmpty()) {
        problems.add(
            "its weight '%s' is shared with %s, and the copy that the target needs cannot be put between them"
                .formatted(spot.tensor().label(), others(spot, own)));
        return Optional.empty();
      }
      moved.addAll(part.get());
    }
    return Optional.of(spot.splitBy(moved));
  }

  /**
   * Whether whoever shares the weight is meant to change with it: where the adapter holds the base
   * model's own embedding. Equal weights that an exporter merged are no tie.
   */
  private boolean staysTied(BoundTarget target, Spot spot) {
    return target instanceof BoundTarget.Whole whole
        && whole.replacement().origin() == Origin.SAVED_EMBEDDING
        && index.sharedBytes().twins(spot.tensor()).stream()
            .flatMap(t -> index.on(t).stream())
            .anyMatch(s -> s.kind() == Site.Kind.EMBEDDING);
  }

  /** Who else reads the bytes, as messages name it. */
  private Collection<String> strangers(Spot spot, Set<Reading> known) {
    Set<String> strangers = new LinkedHashSet<>();
    for (StoredTensor twin : index.sharedBytes().twins(spot.tensor())) {
      Optional<Value> value = graph.valueOf(twin);
      if (value.isEmpty()) {
        strangers.add("tensor '" + twin.label() + "'");
        continue;
      }
      Reach reach = readers.reach(value.get());
      reach.exits().forEach(v -> strangers.add("the graph's output '" + v.name() + "'"));
      reach.leaves().stream()
          .filter(l -> !known.contains(l.reading()))
          .forEach(l -> strangers.add(describe(l.reading())));
    }
    return strangers;
  }

  private static String describe(Reading reading) {
    List<GraphNode> calls = reading.calls();
    return calls.isEmpty() ? reading.node().toString() : calls.getLast().toString();
  }

  private String others(Spot spot, Set<Reading> own) {
    Collection<String> strangers = strangers(spot, own);
    return strangers.isEmpty()
        ? "another tensor on the same bytes"
        : String.join(", ", strangers.stream().limit(3).toList());
  }
}

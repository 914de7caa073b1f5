package dev.graft.match;

import dev.graft.graph.GraphNode;
import dev.graft.graph.Use;
import dev.graft.match.BoundTarget.Place;
import dev.graft.onnx.MessageSpan;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Decides what happens to weights that several modules read. The truth is what the adapter did
 * while it was trained, so a target that shares its bytes gets a copy of its own, unless the
 * adapter's config asks for tied weights.
 */
final class TieSettler {

  private final SiteIndex index;
  private final WeightReaders readers;
  private final boolean tied;

  TieSettler(SiteIndex index, boolean tied) {
    this.index = index;
    this.readers = new WeightReaders(index.graph());
    this.tied = tied;
  }

  /**
   * An operator's input by identity; comparing nodes by value would be slow and could confuse
   * twins.
   */
  private record Key(MessageSpan node, int input) {
    static Key of(Use use) {
      return new Key(use.node().part().span(), use.input());
    }
  }

  /** The operators' inputs that read a parameter for one module. */
  List<Use> readersOf(ParameterResolver.Found found, String module) {
    if (!found.sites().isEmpty()) {
      return found.sites().stream().map(Site::reading).toList();
    }
    List<Use> all = readers.leaves(found.value());
    List<Use> own = all.stream().filter(u -> belongs(u.node(), module)).toList();
    return own.isEmpty() ? all : own;
  }

  List<BoundTarget> settle(List<BoundTarget> bound, List<Miss> misses) {
    IdentityHashMap<StoredTensor, List<BoundTarget>> byTensor = new IdentityHashMap<>();
    for (BoundTarget target : bound) {
      byTensor.computeIfAbsent(target.place().tensor(), t -> new ArrayList<>()).add(target);
    }
    List<BoundTarget> settled = new ArrayList<>();
    for (BoundTarget target : bound) {
      List<BoundTarget> rivals = byTensor.getOrDefault(target.place().tensor(), List.of());
      settle(target, rivals, misses).ifPresent(settled::add);
    }
    return settled;
  }

  private Optional<BoundTarget> settle(
      BoundTarget target, List<BoundTarget> rivals, List<Miss> misses) {
    if (tied && rivals.size() == 1 && !index.sharesBytes(target.place().tensor())) {
      return Optional.of(target);
    }
    boolean keepsOriginal = rivals.getFirst().equals(target) && !isShared(target.place(), rivals);
    if (keepsOriginal) {
      return Optional.of(target);
    }
    Set<Key> wanted = keys(target.place().readers());
    Optional<List<Use>> split =
        readers.split(target.place().root(), use -> wanted.contains(Key.of(use)));
    if (split.isEmpty() || split.get().isEmpty()) {
      misses.add(
          new Miss(
              target.name(),
              "its weight '%s' is shared with %s, and the copy that the adapter needs cannot be put between them"
                  .formatted(target.place().tensor().label(), others(target.place())),
              List.of(),
              Miss.Cause.UNSUPPORTED));
      return Optional.empty();
    }
    return Optional.of(target.on(target.place().splitBy(split.get())));
  }

  /** Whether anyone reads the stored bytes who is not among the targets on them. */
  private boolean isShared(Place place, List<BoundTarget> targets) {
    Set<Key> known = new HashSet<>();
    targets.forEach(t -> known.addAll(keys(t.place().readers())));
    return index.sharesBytes(place.tensor())
        || readers.leavesGraph(place.root())
        || readers.leaves(place.root()).stream().anyMatch(u -> !known.contains(Key.of(u)));
  }

  private String others(Place place) {
    Set<Key> own = keys(place.readers());
    List<String> others =
        readers.leaves(place.root()).stream()
            .filter(u -> !own.contains(Key.of(u)))
            .map(u -> u.node().toString())
            .limit(3)
            .toList();
    return others.isEmpty() ? "another tensor or output of the file" : String.join(", ", others);
  }

  private static Set<Key> keys(List<Use> uses) {
    Set<Key> keys = new HashSet<>();
    uses.forEach(u -> keys.add(Key.of(u)));
    return keys;
  }

  private static boolean belongs(GraphNode node, String module) {
    Optional<String> own = SiteNames.ownName(node);
    return own.isEmpty() || own.get().equals(module) || own.get().startsWith(module + ".");
  }
}

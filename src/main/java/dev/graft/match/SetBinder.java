package dev.graft.match;

import dev.graft.adapter.AdapterTarget;
import dev.graft.adapter.BaseCopy;
import dev.graft.adapter.PeftAdapter;
import dev.graft.error.BindingException;
import dev.graft.match.Miss.Cause;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Joins an adapter to a model in several files, such as an encoder and its decoders. A file holds
 * some of the targets, each under a prefix of its own; every target must have its place in at least
 * one file.
 *
 * <p>In a file that is only a part, two prefixes may serve equally many targets: the encoder of a
 * T5 has a {@code block.0.layer.0.SelfAttention.q} that could be the decoder's by its name. What
 * tells them apart is the weights: one module has the same weight in every file.
 */
public final class SetBinder {

  private final List<SiteIndex> files;
  private final PeftAdapter adapter;
  private final List<List<Binding>> candidates = new ArrayList<>();

  private SetBinder(List<SiteIndex> files, PeftAdapter adapter) {
    this.files = files;
    this.adapter = adapter;
  }

  /**
   * Binds every target or says of each why not.
   *
   * @return one binding for each file, in their order; a file's misses are those that no other file
   *     makes good
   * @throws BindingException if a file's prefix is in doubt, or a file has no place for any target
   */
  public static List<Binding> bind(
      List<SiteIndex> files, PeftAdapter adapter, Binder.Options options) {
    if (files.size() == 1) {
      return List.of(Binder.bind(files.getFirst(), adapter, options));
    }
    SetBinder binder = new SetBinder(files, adapter);
    for (SiteIndex file : files) {
      binder.candidates.add(new ArrayList<>(Binder.mostBound(file, adapter, options)));
    }
    return binder.settle();
  }

  private List<Binding> settle() {
    for (int file = 0; file < files.size(); file++) {
      strikeRefuted(file);
    }
    for (int file = 0; file < files.size(); file++) {
      requireOne(file);
    }
    return withoutSharedMisses();
  }

  /** Takes away the ways that another file's weights speak against. */
  private void strikeRefuted(int file) {
    candidates
        .get(file)
        .removeIf(way -> {
          for (int other = 0; other < files.size(); other++) {
            List<Binding> others = candidates.get(other);
            if (other != file
                && others.size() == 1
                && isRefuted(new Way(file, way), new Way(other, others.getFirst()))) {
              return true;
            }
          }
          return false;
        });
  }

  /** One file's binding. */
  private record Way(int file, Binding binding) {}

  /**
   * Whether two files would give one target two weights. Of two names for a target the adapter's
   * own, or the one with more of its parts, is believed.
   */
  private boolean isRefuted(Way way, Way by) {
    if (way.binding().prefix().equals(by.binding().prefix())
        || way.binding().prefix().from().length() < by.binding().prefix().from().length()) {
      return false;
    }
    Map<String, StoredTensor> known = new HashMap<>();
    firstPlaces(by.binding()).forEach(b -> known.put(b.name(), b.place().tensor()));
    return firstPlaces(way.binding())
        .filter(b -> known.containsKey(b.name()))
        .anyMatch(b -> !haveSameWeight(way, b, by, known));
  }

  /**
   * Targets on stored weights, with a name of their own; the other half of a tie goes by the name
   * of the first.
   */
  private static Stream<BoundTarget> firstPlaces(Binding binding) {
    Set<String> seen = new HashSet<>();
    return binding.bound().stream().filter(b -> b.place().gap().isEmpty() && seen.add(b.name()));
  }

  private boolean haveSameWeight(
      Way way, BoundTarget target, Way by, Map<String, StoredTensor> known) {
    StoredTensor weight = target.place().tensor();
    StoredTensor other = known.getOrDefault(target.name(), weight);
    boolean comparable =
        weight.proto().getDataType() == other.proto().getDataType()
            && weight.shape().equals(other.shape());
    return !comparable
        || EqualBytes.same(
            files.get(way.file()).graph().model(),
            weight,
            files.get(by.file()).graph().model(),
            other);
  }

  private void requireOne(int file) {
    List<Binding> ways = candidates.get(file);
    String path = files.get(file).graph().model().path().toString();
    if (ways.isEmpty()) {
      throw new BindingException(
          "%s has no place for any target of %s; leave the file out, or join its names with --map FILE"
              .formatted(path, adapter.name()));
    }
    if (ways.size() > 1) {
      throw new BindingException(
          "%s: %d prefixes bind equally many targets of %s: %s. Join the names of those that are meant with --map FILE"
              .formatted(
                  path,
                  ways.size(),
                  adapter.name(),
                  ways.stream()
                      .map(b -> b.prefix().toString())
                      .limit(4)
                      .collect(Collectors.joining(", "))));
    }
  }

  private List<Binding> withoutSharedMisses() {
    List<Binding> chosen = candidates.stream().map(List::getFirst).toList();
    Set<String> bound = new HashSet<>();
    chosen.forEach(b -> b.bound().forEach(target -> bound.add(target.name())));
    Set<String> homeless = new HashSet<>();
    for (AdapterTarget target : adapter.targets()) {
      if (!(target instanceof BaseCopy) && !bound.contains(target.target())) {
        homeless.add(target.target());
      }
    }
    List<Binding> settled = new ArrayList<>();
    for (Binding binding : chosen) {
      settled.add(
          new Binding(
              binding.model(),
              binding.adapter(),
              binding.prefix(),
              binding.bound(),
              binding.misses().stream()
                  .filter(m -> m.cause() != Cause.ABSENT || homeless.contains(m.name()))
                  .toList(),
              binding.warnings()));
    }
    return settled;
  }
}

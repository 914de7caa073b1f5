package dev.graft.match;

import dev.graft.adapter.AdapterTarget;
import dev.graft.adapter.LoraPair;
import dev.graft.adapter.PeftAdapter;
import dev.graft.adapter.Replacement;
import dev.graft.error.BindingException;
import dev.graft.error.UsageException;
import dev.graft.match.TargetBinder.Advice;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Joins an adapter to a model. The prefix between their names is derived once from all targets
 * together and must be the only one under which every target binds; a single target is never
 * matched by the end of its name.
 */
public final class Binder {

  private final SiteIndex index;
  private final PeftAdapter adapter;
  private final NameMap map;

  private Binder(SiteIndex index, PeftAdapter adapter, NameMap map) {
    this.index = index;
    this.adapter = adapter;
    this.map = map;
  }

  /**
   * What the user fixed.
   *
   * @param prefix the prefix, if it is not to be derived
   * @param map joins of single names
   */
  public record Options(Optional<Prefix> prefix, NameMap map) {
    /** Derive everything. */
    public static final Options DERIVED = new Options(Optional.empty(), NameMap.EMPTY);
  }

  /**
   * Binds every target or says of each why not.
   *
   * @throws BindingException if two prefixes fit
   * @throws UsageException if the map file names a target that the adapter does not have
   */
  public static Binding bind(SiteIndex index, PeftAdapter adapter, Options options) {
    Binder binder = new Binder(index, adapter, options.map());
    binder.requireKnown(options.map());
    return options.prefix().map(binder::explained).orElseGet(binder::derive);
  }

  private Binding derive() {
    List<Binding> whole = new ArrayList<>();
    Binding best = null;
    for (Prefix prefix : candidates()) {
      Binding binding = attempt(prefix);
      if (binding.misses().isEmpty()) {
        whole.add(binding);
      }
      if (best == null || score(binding) > score(best)) {
        best = binding;
      }
    }
    if (whole.size() > 1) {
      throw new BindingException(
          "%s: %d prefixes bind every target of %s: %s. Say which is meant with --prefix FROM=TO"
              .formatted(
                  index.graph().model().path(),
                  whole.size(),
                  adapter.name(),
                  whole.stream()
                      .map(b -> b.prefix().toString())
                      .collect(Collectors.joining(", "))));
    }
    if (whole.size() == 1) {
      return whole.getFirst();
    }
    return explained(best == null ? Prefix.NONE : best.prefix());
  }

  /** Bound targets count most; a target on a quantised weight was at least found. */
  private static long score(Binding binding) {
    return 2L * binding.bound().size()
        + binding.misses().stream().filter(m -> m.cause() != Miss.Cause.NO_FIT).count();
  }

  private Binding attempt(Prefix prefix) {
    return bind(prefix, new TargetBinder(index, adapter, map, Advice.NONE));
  }

  private Binding explained(Prefix prefix) {
    return bind(prefix, new TargetBinder(index, adapter, map, Advice.NEAREST_NAMES));
  }

  private Binding bind(Prefix prefix, TargetBinder targets) {
    List<BoundTarget> bound = new ArrayList<>();
    List<Miss> misses = new ArrayList<>();
    for (AdapterTarget target : adapter.targets()) {
      targets.bind(target, prefix, bound, misses);
    }
    List<BoundTarget> settled = targets.settleTies(bound, misses);
    return new Binding(
        index.graph().model().path().toString(), adapter.name(), prefix, settled, misses);
  }

  /** Every prefix that binds one particular target; one that binds all must be among them. */
  private Set<Prefix> candidates() {
    Set<Prefix> prefixes = new LinkedHashSet<>();
    prefixes.add(Prefix.NONE);
    Optional<String> key = keyTarget();
    if (key.isEmpty()) {
      return prefixes;
    }
    String wanted = key.get();
    Collection<String> names = new TreeSet<>(index.modules());
    names.addAll(index.parameterNames());
    for (String name : names) {
      if (name.endsWith("." + wanted)) {
        prefixes.add(new Prefix("", name.substring(0, name.length() - wanted.length())));
      } else if (wanted.endsWith("." + name)) {
        prefixes.add(new Prefix(wanted.substring(0, wanted.length() - name.length()), ""));
      }
    }
    return prefixes;
  }

  /** The longest name says most. */
  private Optional<String> keyTarget() {
    return adapter.targets().stream()
        .filter(t -> t instanceof LoraPair || t instanceof Replacement)
        .map(AdapterTarget::target)
        .filter(n -> map.target(n).isEmpty())
        .max(Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder()));
  }

  private void requireKnown(NameMap names) {
    Set<String> known =
        adapter.targets().stream().map(AdapterTarget::target).collect(Collectors.toSet());
    for (String name : new TreeSet<>(names.names())) {
      if (!known.contains(name)) {
        throw new UsageException(
            "the map file joins '%s', but the adapter has no such module or parameter; nearest: %s"
                .formatted(name, NearestNames.of(name, known)));
      }
    }
  }
}

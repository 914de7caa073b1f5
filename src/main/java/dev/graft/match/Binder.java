package dev.graft.match;

import dev.graft.adapter.AdapterTarget;
import dev.graft.adapter.BaseCopy;
import dev.graft.adapter.LoraPair;
import dev.graft.adapter.PeftAdapter;
import dev.graft.adapter.Replacement;
import dev.graft.adapter.TokenRows;
import dev.graft.error.BindingException;
import dev.graft.error.UsageException;
import dev.graft.match.Collected.Advice;
import dev.graft.onnx.StoredTensor;
import java.util.ArrayList;
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

  /** How many prefixes are tried; more than two that fit are as wrong as two. */
  private static final int MAX_TRIED = 64;

  private static final int SHOWN = 4;

  private final SiteIndex index;
  private final PeftAdapter adapter;
  private final Options options;
  private final NameMap map;

  private Binder(SiteIndex index, PeftAdapter adapter, Options options) {
    this.index = index;
    this.adapter = adapter;
    this.options = options;
    this.map = options.map();
  }

  /**
   * What the user fixed.
   *
   * @param prefix the prefix, if it is not to be derived
   * @param map joins of single names
   * @param ties what becomes of weights that are shared
   * @param purpose what the adapter is bound for
   */
  public record Options(Optional<Prefix> prefix, NameMap map, Ties ties, Purpose purpose) {
    /** Derive everything. */
    public static final Options DERIVED = new Options(Optional.empty(), NameMap.EMPTY);

    /** Names that are fixed; ties as they were while the adapter was active. */
    public Options(Optional<Prefix> prefix, NameMap map) {
      this(prefix, map, Ties.ACTIVE);
    }

    /** Names that are fixed, for a fold. */
    public Options(Optional<Prefix> prefix, NameMap map, Ties ties) {
      this(prefix, map, ties, Purpose.FOLD);
    }

    /** The same for another purpose. */
    public Options to(Purpose other) {
      return new Options(prefix, map, ties, other);
    }

    private Options with(Prefix tried) {
      return new Options(Optional.of(tried), map, ties, purpose);
    }
  }

  /**
   * Binds every target or says of each why not.
   *
   * @throws BindingException if two prefixes fit
   * @throws UsageException if the map file names a target that the adapter does not have
   */
  public static Binding bind(SiteIndex index, PeftAdapter adapter, Options options) {
    Binder binder = new Binder(index, adapter, options);
    binder.requireKnown();
    return options
        .prefix()
        .map(p -> binder.attempt(p, Advice.NEAREST_NAMES))
        .orElseGet(binder::derive);
  }

  /**
   * The ways in which most targets bind, for a file that is only a part of the model. Ways that
   * lead to the same places count once.
   *
   * @return empty if no target binds
   */
  static List<Binding> mostBound(SiteIndex index, PeftAdapter adapter, Options options) {
    Binder binder = new Binder(index, adapter, options);
    binder.requireKnown();
    Set<Prefix> tried = new LinkedHashSet<>();
    options
        .prefix()
        .ifPresentOrElse(
            tried::add,
            () -> {
              PrefixVotes votes = binder.votes();
              tried.addAll(votes.complete());
              tried.addAll(votes.best());
            });
    List<Binding> most = new ArrayList<>();
    for (Prefix prefix : tried.stream().limit(MAX_TRIED).toList()) {
      Binding binding = binder.attempt(prefix, Advice.NONE);
      int lead = most.isEmpty() ? 1 : binding.boundTargets() - most.getFirst().boundTargets();
      if (lead > 0) {
        most.clear();
      }
      if (lead >= 0
          && !binding.bound().isEmpty()
          && most.stream().noneMatch(b -> places(b).equals(places(binding)))) {
        most.add(binding);
      }
    }
    return most;
  }

  private Binding derive() {
    PrefixVotes votes = votes();
    List<Binding> whole = new ArrayList<>();
    for (Prefix prefix : votes.complete().stream().limit(MAX_TRIED).toList()) {
      Binding binding = attempt(prefix, Advice.NONE);
      if (binding.misses().isEmpty()) {
        whole.add(binding);
      }
    }
    if (whole.isEmpty()) {
      return attempt(best(votes), Advice.NEAREST_NAMES);
    }
    // Nodes and weights may go by different names for the same places.
    if (whole.stream().map(Binder::places).distinct().count() > 1) {
      throw ambiguous(whole);
    }
    return whole.getFirst();
  }

  private BindingException ambiguous(List<Binding> whole) {
    String prefixes =
        whole.stream()
            .limit(SHOWN)
            .map(b -> b.prefix().toString())
            .collect(Collectors.joining(", "));
    return new BindingException(
        "%s: %d prefixes bind every target of %s: %s%s. Say which is meant with --prefix FROM=TO"
            .formatted(
                index.graph().model().path(),
                whole.size(),
                adapter.name(),
                prefixes,
                whole.size() > SHOWN ? ", …" : ""));
  }

  /** Which target goes to which tensors. */
  private static List<Landing> places(Binding binding) {
    return binding.bound().stream()
        .map(b -> new Landing(b.name(), b.place().spots().stream().map(Spot::tensor).toList()))
        .toList();
  }

  private record Landing(String target, List<StoredTensor> tensors) {}

  private Prefix best(PrefixVotes votes) {
    Set<Prefix> tried = new LinkedHashSet<>(List.of(Prefix.NONE));
    tried.addAll(votes.best());
    Prefix best = Prefix.NONE;
    long most = -1;
    for (Prefix prefix : tried) {
      long score = score(attempt(prefix, Advice.NONE));
      if (score > most) {
        best = prefix;
        most = score;
      }
    }
    return best;
  }

  /** Bound targets count most; one that does not fit or is quantised was at least found. */
  private static long score(Binding binding) {
    return 2L * binding.boundTargets()
        + binding.misses().stream().filter(m -> m.cause() != Miss.Cause.ABSENT).count();
  }

  private Binding attempt(Prefix prefix, Advice advice) {
    TargetBinder targets = new TargetBinder(index, adapter, options.with(prefix), advice);
    adapter.targets().forEach(targets::bind);
    Collected settled = targets.settled();
    return new Binding(
        index.graph().model().path().toString(),
        adapter.name(),
        prefix,
        settled.bound(),
        settled.misses(),
        settled.warnings());
  }

  private PrefixVotes votes() {
    PrefixVotes votes = new PrefixVotes();
    boolean othersVote =
        adapter.targets().stream()
            .anyMatch(t ->
                !(t instanceof BaseCopy)
                    && !(t instanceof LoraPair pair && pair.kind() == LoraPair.Kind.PARAMETER));
    for (AdapterTarget target : adapter.targets()) {
      String name = target.target();
      if (map.target(name).isPresent()) {
        continue;
      }
      if (target instanceof Replacement) {
        int dot = name.lastIndexOf('.');
        votes.want(name, dot < 0 ? name : name.substring(0, dot));
      } else if (target instanceof LoraPair pair && pair.kind() == LoraPair.Kind.PARAMETER) {
        // Exporters take such parameters' names away more often than those of modules.
        if (!othersVote) {
          pair.parameters().candidates().forEach(p -> votes.want(name + "." + p, name));
        }
      } else if (target instanceof LoraPair || target instanceof TokenRows) {
        votes.want(name, name);
      }
    }
    votes.wrap(index.modules());
    Set<String> names = new TreeSet<>(index.modules());
    names.addAll(index.parameterNames());
    names.addAll(packedNames());
    votes.count(names);
    return votes;
  }

  /** What an adapter may call modules that the file packs, splits or has no names for. */
  private Set<String> packedNames() {
    Set<String> names = new TreeSet<>();
    index.modules().forEach(module -> names.addAll(PackedNames.aliases(module)));
    for (Site site : index.sites()) {
      for (SiteName name : site.names()) {
        if (name.rule() == NameRule.ATTENTION) {
          names.addAll(PackedNames.within(name.module()));
        } else if (name.isOfNode()) {
          names.add(name.module() + ".in_proj");
        }
      }
    }
    return names;
  }

  private void requireKnown() {
    Set<String> known =
        adapter.targets().stream().map(AdapterTarget::target).collect(Collectors.toSet());
    for (String name : new TreeSet<>(map.names())) {
      if (!known.contains(name)) {
        throw new UsageException(
            "the map file joins '%s', but the adapter has no such module or parameter; nearest: %s"
                .formatted(name, NearestNames.of(name, known)));
      }
    }
  }
}

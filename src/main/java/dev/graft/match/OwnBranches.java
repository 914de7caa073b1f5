package dev.graft.match;

import dev.graft.graph.Value;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * The LoRA branches that a model holds itself. A branch acts beside a fold; one whose factors are
 * inputs with empty defaults, a slot for an adapter at run time, only acts once it is fed.
 */
final class OwnBranches {

  private static final Pattern FACTOR = Pattern.compile("lora_(embedding_)?[AB](\\..*)?");

  private final SiteIndex index;
  private final NavigableSet<String> inputs = new TreeSet<>();

  OwnBranches(SiteIndex index) {
    this.index = index;
    index.graph().model().proto().getGraph().getInputList().forEach(i -> inputs.add(i.getName()));
  }

  /** What a module has beside its base layer. */
  enum State {
    NONE,
    SLOT,
    ACTIVE
  }

  /** What a module has beside its base layer. */
  State at(String module) {
    List<Site> branch =
        index.within(module).entrySet().stream()
            .filter(e -> isFactor(e.getKey(), module))
            .flatMap(e -> e.getValue().stream())
            .distinct()
            .toList();
    if (branch.isEmpty()) {
      return hasInput(module) ? State.SLOT : State.NONE;
    }
    return branch.stream().allMatch(OwnBranches::isSlot) ? State.SLOT : State.ACTIVE;
  }

  /**
   * Whether a name inside a module is that of a factor. Where PEFT wrapped the module, all that is
   * not its base layer is a branch: TorchScript names the factors after the adapter.
   */
  private boolean isFactor(String name, String module) {
    String inside = name.substring(module.length() + 1);
    boolean isWrapped = index.modules().contains(module + ".base_layer");
    return FACTOR.matcher(inside).matches()
        || (isWrapped && inside.indexOf('.') < 0 && !inside.equals("base_layer"));
  }

  /** A slot without a default is no stored weight, and has its name as an input alone. */
  private boolean hasInput(String module) {
    String next = inputs.ceiling(module + ".lora_");
    return next != null && next.startsWith(module + ".lora_");
  }

  private static boolean isSlot(Site site) {
    Value root = site.path().root();
    return site.tensor().shape().elements() == 0 && root.scope().input(root.name()).isPresent();
  }
}

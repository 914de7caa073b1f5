package dev.graft.match;

import dev.graft.match.Miss.Cause;
import dev.graft.match.ModuleResolver.Found;
import java.util.List;

/** Looks up the weights that may be packs or parts. */
final class PackLookup {

  private final SiteIndex index;
  private final ModuleResolver modules;
  private final Purpose purpose;

  PackLookup(SiteIndex index, ModuleResolver modules, Purpose purpose) {
    this.index = index;
    this.purpose = purpose;
    this.modules = modules;
  }

  /** Whether a weight's outputs can be counted and something be done with them. */
  boolean isPlain(PackedWeight weight) {
    return weight.isPlain(purpose);
  }

  /** A linear layer by its name. */
  Found linear(String name) {
    return modules.find(
        name, name, s -> s.kind() == Site.Kind.LINEAR || s.kind() == Site.Kind.QUANTISED);
  }

  /** The packed weight of a fused attention that says that it is the module. */
  Found attention(String module) {
    List<Site> sites =
        index.named(module).stream().filter(s -> s.ruleFor(module) == NameRule.ATTENTION).toList();
    return sites.isEmpty()
        ? Found.none("the file has no attention of the name " + module, Cause.ABSENT)
        : modules.withFurtherCalls(sites, List.of(), NameRule.ATTENTION);
  }

  /** The products inside a module whose weights have no names of their own. */
  List<Site> anonymousIn(String module) {
    return index.named(module).stream()
        .filter(s -> s.kind() == Site.Kind.LINEAR)
        .filter(s -> s.nodeNames().contains(module))
        .filter(s -> s.names().stream().allMatch(SiteName::isOfNode))
        .toList();
  }

  /** Sites that are one module. */
  Found joined(List<Site> sites, List<String> names, NameRule rule) {
    return modules.withFurtherCalls(sites, names, rule);
  }
}

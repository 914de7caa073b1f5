package dev.graft.match;

import dev.graft.match.Cut.Finding;
import dev.graft.match.PackedNames.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Which modules the weights of a file pack, as far as the graph says where each of them is. */
public final class SiteParts {

  private final CutReader cuts;

  /** Prepares to look at the sites of a model. */
  public SiteParts(SiteIndex index) {
    this.cuts = new CutReader(index.graph());
  }

  /**
   * A module in a packed weight.
   *
   * @param name what it is: query, key, value, gate or up
   * @param outputs its outputs
   */
  public record Part(String name, OutputRange outputs) {}

  /** The parts of a site's weight; empty if it packs none, or none that can be told apart. */
  public List<Part> of(Site site) {
    Optional<Kind> kind =
        site.kind() == Site.Kind.LINEAR
            ? site.names().stream().flatMap(n -> kind(n).stream()).findFirst()
            : Optional.empty();
    List<Part> parts = new ArrayList<>();
    if (kind.isPresent() && cuts.read(List.of(site), kind.get()) instanceof Finding.Known known) {
      for (int i = 0; i < kind.get().parts(); i++) {
        parts.add(new Part(kind.get().partLabel(i), known.cut().part(i)));
      }
    }
    return List.copyOf(parts);
  }

  private static Optional<Kind> kind(SiteName name) {
    return name.rule() == NameRule.ATTENTION
        ? Optional.of(Kind.QKV)
        : PackedNames.pack(name.module()).map(PackedNames.Pack::kind);
  }
}

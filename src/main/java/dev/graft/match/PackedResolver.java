package dev.graft.match;

import dev.graft.match.PackedNames.Part;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Finds a module that the file packs together with others into one weight, or splits over several,
 * and which outputs are its own.
 */
final class PackedResolver {

  private final PartFinder parts;
  private final PackFinder packs;

  /**
   * Prepares to look modules up.
   *
   * @param lookup finds single weights
   * @param outputsOfAdapter how many outputs the adapter's own tensors give each module, by the
   *     file's names
   */
  PackedResolver(PackLookup lookup, SiteIndex index, Map<String, Long> outputsOfAdapter) {
    this.parts = new PartFinder(lookup, new CutReader(index.graph()), outputsOfAdapter);
    this.packs = new PackFinder(lookup, new AttentionRoles(index.graph()));
  }

  /**
   * Looks a module up that the file does not have under its own name.
   *
   * @param name the file's name for it
   * @param outputs how many outputs the adapter gives it
   */
  PackedAnswer find(String name, long outputs) {
    return PackedNames.part(name)
        .map(part -> parts.find(name, part, outputs))
        .or(() -> PackedNames.pack(name).map(pack -> packs.find(name, pack, outputs)))
        .orElse(PackedAnswer.NOTHING);
  }

  /** What was looked for beside the name itself, as messages have it; empty if nothing. */
  static String lookedFor(String name) {
    return PackedNames.part(name)
        .map(Part::packs)
        .map(packs -> ", nor one that packs it (" + leaves(packs) + ")")
        .or(() ->
            PackedNames.pack(name)
                .map(pack ->
                    pack.parts().stream()
                        .map(PackedResolver::leaves)
                        .collect(Collectors.joining("; ", ", nor its parts (", ")"))))
        .orElse("");
  }

  private static String leaves(List<String> names) {
    return names.stream()
        .map(n -> n.substring(n.lastIndexOf('.') + 1))
        .collect(Collectors.joining(", "));
  }
}

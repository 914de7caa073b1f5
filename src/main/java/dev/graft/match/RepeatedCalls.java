package dev.graft.match;

import dev.graft.onnx.StoredTensor;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Tells a module's further calls from other modules. TorchScript numbers the second and later calls
 * of a module on one of the parts of its path: {@code attention.query_1}. A module may also be
 * called so in truth; then it has parameters of its own, or the adapter knows it, or its weights
 * are not those of the module without the number.
 */
final class RepeatedCalls {

  private static final Pattern NUMBER = Pattern.compile("_\\d{1,9}(?=\\.|$)");

  private final SiteIndex index;
  private final NavigableSet<String> adapterNames;
  private final Map<List<String>, Boolean> genuine = new HashMap<>();

  /**
   * Prepares to tell them apart.
   *
   * @param adapterNames the adapter's targets by the file's names
   */
  RepeatedCalls(SiteIndex index, Collection<String> adapterNames) {
    this.index = index;
    this.adapterNames = new TreeSet<>(adapterNames);
  }

  /** A name without the numbers after its parts. */
  static String unnumbered(String name) {
    return NUMBER.matcher(name).replaceAll("");
  }

  /** Whether a node's name means the module itself, in this or another call. */
  boolean isModule(String ofNode, String module) {
    return ofNode.equals(module)
        || (parts(ofNode).length == parts(module).length && isWithin(ofNode, module));
  }

  /** Whether a node's name means the module or something inside it, in this or another call. */
  boolean isWithin(String ofNode, String module) {
    String[] found = parts(ofNode);
    String[] wanted = parts(module);
    if (found.length < wanted.length) {
      return false;
    }
    StringBuilder numbered = new StringBuilder();
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < wanted.length; i++) {
      numbered.append(i == 0 ? "" : ".").append(found[i]);
      plain.append(i == 0 ? "" : ".").append(wanted[i]);
      if (!found[i].equals(wanted[i])
          && (!isNumbered(found[i], wanted[i])
              || isGenuine(numbered.toString(), plain.toString()))) {
        return false;
      }
    }
    return true;
  }

  private static boolean isNumbered(String found, String wanted) {
    return found.startsWith(wanted + "_")
        && found.length() > wanted.length() + 1
        && found.chars().skip(wanted.length() + 1).allMatch(c -> c >= '0' && c <= '9');
  }

  private boolean isGenuine(String numbered, String plain) {
    Boolean known = genuine.get(List.of(numbered, plain));
    if (known != null) {
      return known;
    }
    boolean found =
        index.hasParameterWithin(numbered)
            || adapterKnows(numbered)
            || !allIn(index.weightsWithin(numbered), index.weightsWithin(plain));
    genuine.put(List.of(numbered, plain), found);
    return found;
  }

  private boolean adapterKnows(String module) {
    String next = adapterNames.ceiling(module + ".");
    return adapterNames.contains(module) || (next != null && next.startsWith(module + "."));
  }

  private boolean allIn(Set<StoredTensor> some, Set<StoredTensor> all) {
    return some.stream()
        .allMatch(t -> all.contains(t) || all.stream().anyMatch(o -> index.bytes().same(t, o)));
  }

  private static String[] parts(String name) {
    return name.split("\\.", -1);
  }
}

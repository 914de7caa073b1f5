package dev.graft.cli;

import java.util.List;

/**
 * What the demo did and found.
 *
 * @param schema version of the report
 * @param verb the verb
 * @param merge what was folded
 * @param checks embeddings against stored ones
 * @param moved how far the adapter moves an embedding's entry at most
 * @param nodes whether the nodes are those of the base
 * @param files files that have to be the same
 */
record DemoReport(
    int schema,
    String verb,
    MergeReport merge,
    List<Check> checks,
    double moved,
    Nodes nodes,
    List<Same> files) {

  /**
   * A check of embeddings.
   *
   * @param what against what
   * @param maxAbs the largest absolute error
   * @param atol what was allowed
   * @param holds whether it is within that
   */
  record Check(String what, double maxAbs, double atol, boolean holds) {}

  /**
   * Nodes that are the same, byte for byte.
   *
   * @param same how many
   * @param total of how many
   */
  record Nodes(long same, long total) {}

  /**
   * Two files that have to be the same.
   *
   * @param what which
   * @param found SHA-256 of the one
   * @param expected SHA-256 of the other
   */
  record Same(String what, String found, String expected) {
    boolean holds() {
      return found.equals(expected);
    }
  }

  boolean holds() {
    return files.stream().allMatch(Same::holds)
        && nodes.same() == nodes.total()
        && checks.stream().allMatch(Check::holds);
  }
}

package dev.graft.adapter;

import java.util.List;

/**
 * The {@code use_bdlora} part of a configuration: A or B of some modules is block-diagonal and
 * saved without its zeros, the blocks below each other.
 *
 * @param inA parts of module names whose A is block-diagonal
 * @param inB parts of module names whose B is block-diagonal
 * @param blocks number of blocks, at least 1
 */
record BlockDiagonal(List<String> inA, List<String> inB, int blocks) {

  static final BlockDiagonal NONE = new BlockDiagonal(List.of(), List.of(), 1);

  /** What the two questions below cost for a module, in characters. */
  long steps(String module) {
    return (long) (inA.size() + inB.size()) * module.length();
  }

  int blocksOfA(String module) {
    return inA.stream().anyMatch(module::contains) ? blocks : 1;
  }

  int blocksOfB(String module) {
    return inB.stream().anyMatch(module::contains) ? blocks : 1;
  }
}

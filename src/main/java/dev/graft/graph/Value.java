package dev.graft.graph;

import org.jspecify.annotations.Nullable;

/**
 * A value: its name together with the scope that defines it.
 *
 * @param scope the graph or function body that defines it
 * @param name its name there
 */
public record Value(Scope scope, String name) {

  // What the compiler makes for a record is put together at run time, some milliseconds of every
  // start; this is a key of the largest maps.
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Value v && scope.equals(v.scope) && name.equals(v.name);
  }

  @Override
  public int hashCode() {
    return 31 * scope.hashCode() + name.hashCode();
  }
}

package dev.graft.graph;

/**
 * A value: its name together with the scope that defines it.
 *
 * @param scope the graph or function body that defines it
 * @param name its name there
 */
public record Value(Scope scope, String name) {}

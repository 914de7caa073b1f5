package dev.graft.graph;

/**
 * One place where a value is read.
 *
 * @param node the reader
 * @param input which of its inputs
 */
public record Use(GraphNode node, int input) {}

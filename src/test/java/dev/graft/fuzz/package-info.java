/**
 * Damaged and hostile inputs, made by the million from small seeds, for everything that reads a
 * stranger's file. {@link dev.graft.fuzz.FuzzTest} says how to run it.
 */
@NullMarked
package dev.graft.fuzz;

import org.jspecify.annotations.NullMarked;

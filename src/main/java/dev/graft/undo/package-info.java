/**
 * Takes merges back, bit for bit: what a fold's rounding lost, kept in a record beside the merged
 * file, and the undoing of it.
 */
@NullMarked
package dev.graft.undo;

import org.jspecify.annotations.NullMarked;

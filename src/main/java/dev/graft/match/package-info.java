/**
 * Joins adapter tensors to graph sites: what can be adapted, how it is named, and which adapter
 * tensor belongs where, with a reason for every one that finds no place.
 */
@NullMarked
package dev.graft.match;

import org.jspecify.annotations.NullMarked;

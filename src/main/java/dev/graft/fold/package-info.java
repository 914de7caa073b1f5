/**
 * Folds adapters into weights: the reproducible arithmetic, and the writing of the base with byte
 * ranges replaced.
 */
@NullMarked
package dev.graft.fold;

import org.jspecify.annotations.NullMarked;

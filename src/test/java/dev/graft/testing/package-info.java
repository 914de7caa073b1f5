/** Builds small models and adapters for tests, and folds and runs them. */
@NullMarked
package dev.graft.testing;

import org.jspecify.annotations.NullMarked;

/**
 * Whether a model gives the answers it should: parity with another model or with stored outputs.
 */
@NullMarked
package dev.graft.verify;

import org.jspecify.annotations.NullMarked;

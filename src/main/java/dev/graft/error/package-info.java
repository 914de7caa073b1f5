/**
 * The closed catalogue of what can go wrong; each type maps to one exit code of the command line.
 */
@NullMarked
package dev.graft.error;

import org.jspecify.annotations.NullMarked;

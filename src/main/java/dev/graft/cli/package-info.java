/** The command line: one class per verb, options, rendering and exit codes. */
@NullMarked
package dev.graft.cli;

import org.jspecify.annotations.NullMarked;

/**
 * Files as positions and lengths: bounded reading, contained external data, output that appears
 * whole or not at all.
 */
@NullMarked
package dev.graft.io;

import org.jspecify.annotations.NullMarked;

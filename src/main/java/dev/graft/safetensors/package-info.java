/**
 * Safetensors files, single and sharded: validated once at open, read by byte range, written
 * deterministically.
 */
@NullMarked
package dev.graft.safetensors;

import org.jspecify.annotations.NullMarked;

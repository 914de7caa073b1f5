/** Records what a run does to the files of a folder, and what a power cut may leave of it. */
@NullMarked
package dev.graft.testing.disk;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.graft.train;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.graft.runtime;

import org.jspecify.annotations.NullMarked;

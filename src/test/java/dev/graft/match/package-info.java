@NullMarked
package dev.graft.match;

import org.jspecify.annotations.NullMarked;

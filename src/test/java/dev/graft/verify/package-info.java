@NullMarked
package dev.graft.verify;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.graft.autodiff;

import org.jspecify.annotations.NullMarked;

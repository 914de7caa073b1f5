/** An index over the skeleton: who makes a value, who reads it, in which graph it is defined. */
@NullMarked
package dev.graft.graph;

import org.jspecify.annotations.NullMarked;

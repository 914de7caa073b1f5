@NullMarked
package dev.graft.safetensors;

import org.jspecify.annotations.NullMarked;

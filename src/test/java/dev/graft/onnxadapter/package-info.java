@NullMarked
package dev.graft.onnxadapter;

import org.jspecify.annotations.NullMarked;

/**
 * ONNX Runtime, held so that nothing leaks: sessions, their inputs and outputs, tensors in the
 * process's own memory. The only package that names the runtime.
 */
@NullMarked
package dev.graft.runtime;

import org.jspecify.annotations.NullMarked;

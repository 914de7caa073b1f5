/**
 * PEFT adapters: configuration, what each saved tensor does to the base model, and what cannot be
 * folded.
 */
@NullMarked
package dev.graft.adapter;

import org.jspecify.annotations.NullMarked;

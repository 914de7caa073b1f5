package dev.graft.fold;

import java.nio.file.Path;

/**
 * An undo record and what it takes, in bytes.
 *
 * @param path where it lies
 * @param bytes the whole record
 * @param addedTo length of the tensors that something was added to
 * @param corrections what is kept of those
 * @param replaced length of the tensors whose values were replaced
 * @param replacedKept what is kept of those
 * @param adapter the adapter's tensors
 */
public record UndoSize(
    Path path,
    long bytes,
    long addedTo,
    long corrections,
    long replaced,
    long replacedKept,
    long adapter) {}

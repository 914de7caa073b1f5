package dev.graft.io;

/**
 * Told how many bytes a long job has done since it last said so; called from several threads at
 * once.
 */
@FunctionalInterface
public interface Progress {

  /** Listens to nothing. */
  Progress NONE = bytes -> {};

  /** Counts so many more bytes as done, holes included; must be quick and safe from any thread. */
  void advance(long bytes);
}

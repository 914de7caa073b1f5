package dev.graft.fuzz;

import java.io.IOException;

/** What reads an input. One reader belongs to one thread. */
interface Reader extends AutoCloseable {

  /** Puts the input where {@link #read} looks for it. This is not measured. */
  void lay(byte[] input) throws IOException;

  /**
   * Reads it. Only a {@link dev.graft.error.GraftException} may come out; an {@link AssertionError}
   * says that what was read makes no sense.
   *
   * @return a number that tells one kind of success from another, to find inputs worth keeping
   */
  int read();

  @Override
  void close() throws IOException;
}

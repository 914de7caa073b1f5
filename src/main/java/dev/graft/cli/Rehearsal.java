package dev.graft.cli;

import java.util.Arrays;
import java.util.List;

/**
 * Runs several command lines in one process. The launcher builds its start-up cache from such a
 * run: the Java machine keeps the classes that it loaded, so the more of the program it saw, the
 * less is left to be read and linked when the program is really used.
 */
public final class Rehearsal {

  private static final String NEXT = "--then";

  private Rehearsal() {}

  /**
   * Runs all commands, whatever becomes of each.
   *
   * @param args the command lines, with {@code --then} between them
   * @throws IllegalStateException if none of them succeeded
   */
  public static void main(String[] args) {
    Screen screen = Main.screen();
    List<String> words = Arrays.asList(args);
    int succeeded = 0;
    for (int from = 0; from <= words.size(); ) {
      int next = words.subList(from, words.size()).indexOf(NEXT);
      int to = next < 0 ? words.size() : from + next;
      if (GraftCommand.run(screen, words.subList(from, to).toArray(String[]::new)) == Failure.OK) {
        succeeded++;
      }
      from = to + 1;
    }
    if (succeeded == 0) {
      throw new IllegalStateException("no command of the rehearsal succeeded");
    }
  }
}

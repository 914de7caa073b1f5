package dev.graft.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.Objects;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Runs command lines in this process. */
final class CliRunner {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private CliRunner() {}

  /**
   * What a run left.
   *
   * @param code the exit code
   * @param out standard output
   * @param err standard error
   */
  record Run(int code, String out, String err) {
    /** Standard output as the one JSON document that it is. */
    JsonNode json() {
      return JSON.readTree(out);
    }
  }

  static Run graft(Object... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Screen screen = new Screen(new PrintWriter(out), new PrintWriter(err), () -> false);
    String[] words = Arrays.stream(args).map(Objects::toString).toArray(String[]::new);
    int code = GraftCommand.run(screen, words);
    return new Run(code, out.toString(), err.toString());
  }
}

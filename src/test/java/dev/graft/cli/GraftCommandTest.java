package dev.graft.cli;

import static dev.graft.cli.CliRunner.graft;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.cli.CliRunner.Run;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GraftCommandTest {

  @Test
  void asksForAVerb() {
    Run run = graft();
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).isEqualToIgnoringNewLines("graft: a verb is missing; see 'graft --help'");
  }

  @Test
  void suggestsTheVerbThatWasMeant() {
    Run run = graft("mrge");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).startsWith("graft: Unmatched argument").contains("graft merge");
  }

  @Test
  void namesWhatIsMissingByItsShortName() {
    Run run = graft("switch", "-o", "x");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err())
        .isEqualToIgnoringNewLines(
            "graft: missing -m MERGED and -a DIR[:WEIGHT]; see 'graft switch --help'");
  }

  @Test
  void refusesAnUnknownOption() {
    Run run = graft("verify", "-m", "x", "--aotl", "1");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("'--aotl'");
  }

  @Test
  void refusesAValueOfAnotherKind() {
    Run run = graft("merge", "-m", "x", "-a", "y", "-o", "z", "--threads", "many");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("--threads").contains("many");
  }

  @Test
  void reportsUsageErrorsAsJsonToo() {
    Run run = graft("merge", "--json");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.json().path("schema").asInt()).isEqualTo(1);
    assertThat(run.json().path("verb").asString()).isEqualTo("merge");
    assertThat(run.json().at("/error/exitCode").asInt()).isEqualTo(2);
    assertThat(run.json().at("/error/kind").asString()).isEqualTo("usage");
    assertThat(run.err()).contains(run.json().at("/error/message").asString());
  }

  @Test
  void doesNotReadOptionsFromAFile() {
    Run run = graft("inspect", "-m", "@args");
    assertThat(run.code()).isEqualTo(3);
    assertThat(run.err()).startsWith("graft: @args: no such file");
  }

  @Test
  void listsTheExitCodes() {
    Run run = graft("--help");
    assertThat(run.code()).isZero();
    assertThat(run.out())
        .contains("Exit codes:")
        .containsPattern("(?m)^ +0 +done$")
        .containsPattern("(?m)^ +1 +a check did not hold$")
        .containsPattern("(?m)^ +5 +failure");
    assertThat(run.out().lines()).allMatch(line -> line.length() <= 100);
  }

  @ParameterizedTest
  @ValueSource(strings = {"inspect", "merge", "merge-lora", "verify", "demo"})
  void explainsEveryVerbWithExamples(String verb) {
    Run run = graft(verb, "--help");
    assertThat(run.code()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(run.out()).startsWith("Usage: graft ").contains("Examples:");
    assertThat(run.out().lines()).allMatch(line -> line.length() <= 100);
  }

  @Test
  void knowsItsVersion() {
    assertThat(graft("--version").out()).startsWith("graft ");
  }

  @Test
  void showsAStackTraceOnlyForDebugging() {
    assertThat(graft("inspect", "-m", "gone").err().lines()).hasSize(1);
    assertThat(graft("inspect", "-m", "gone", "--debug").err())
        .startsWith("graft: gone: no such file")
        .contains("\tat dev.graft.");
  }
}

package dev.graft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ErrorTerminalTest {

  @ParameterizedTest
  @ValueSource(
      strings = {"pipe:[1234]", "/dev/null", "/home/me/dev/pts/log", "socket:[7]", "/var/log/tty"})
  void isNoTerminalWhenRedirected(String device) {
    assertThat(ErrorTerminal.isTerminal(device)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/pts/0", "/dev/tty1", "/dev/ttyS0", "/dev/console"})
  void knowsTerminals(String device) {
    assertThat(ErrorTerminal.isTerminal(device)).isTrue();
  }
}

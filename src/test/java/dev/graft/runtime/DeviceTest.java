package dev.graft.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.UsageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DeviceTest {

  @ParameterizedTest
  @ValueSource(strings = {"", "CPU", "gpu", "cuda:", "cuda:-1", "cuda:0x1", "cuda:99999", "cpu:0"})
  void refusesWhatIsNoDevice(String text) {
    assertThatThrownBy(() -> Device.parse(text))
        .isInstanceOf(UsageException.class)
        .hasMessage(
            "'" + text + "' is no device; give cpu, or cuda:N for the card with the number N");
  }

  @Test
  void readsProcessorsAndCards() {
    assertThat(Device.parse("cpu")).isEqualTo(Device.CPU).hasToString("cpu");
    assertThat(Device.parse("cuda")).isEqualTo(Device.parse("cuda:0")).hasToString("cuda:0");
    assertThat(Device.parse("cuda:3").index()).isEqualTo(3);
  }
}

package dev.graft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

class ProgressBarTest {

  private final StringWriter err = new StringWriter();

  @Test
  void saysNothingInAPipe() throws InterruptedException {
    run(() -> false);
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void saysNothingAboutAShortJob() {
    try (ProgressBar bar =
        ProgressBar.start(screen(() -> true), new ProgressBar.Job("merging", 10))) {
      bar.advance(10);
    }
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void isGoneAfterTheJob() throws InterruptedException {
    run(() -> true);
    assertThat(err.toString()).startsWith("\rmerging").contains("merging  50 %  1.0 kB of 2.0 kB");
    assertThat(err.toString()).containsPattern("\r +\r$");
  }

  @Test
  void tellsSpeedAndTimeLeft() {
    ProgressBar.Job job = new ProgressBar.Job("merging", 2_000_000);
    assertThat(ProgressBar.line(job, 500_000, 2))
        .isEqualTo("merging  25 %  500.0 kB of 2.0 MB  250.0 kB/s  6.00 s left");
  }

  @Test
  void hasNoTimeLeftToTellBeforeTheFirstByteAndAfterTheLast() {
    ProgressBar.Job job = new ProgressBar.Job("merging", 2_000_000);
    assertThat(ProgressBar.line(job, 0, 2)).isEqualTo("merging  0 %  0 B of 2.0 MB  0 B/s");
    assertThat(ProgressBar.line(job, 2_100_000, 2))
        .isEqualTo("merging  100 %  2.0 MB of 2.0 MB  1.0 MB/s  bringing it to the disk");
  }

  private void run(BooleanSupplier terminal) throws InterruptedException {
    ProgressBar.Job job = new ProgressBar.Job("merging", 2000);
    try (ProgressBar bar = ProgressBar.start(screen(terminal), job, Duration.ZERO)) {
      bar.advance(1000);
      for (int i = 0; i < 100 && !err.toString().contains("50 %"); i++) {
        Thread.sleep(terminal.getAsBoolean() ? 20 : 1);
      }
    }
  }

  private Screen screen(BooleanSupplier terminal) {
    PrintWriter writer = new PrintWriter(err);
    return new Screen(writer, writer, terminal);
  }
}

package dev.graft.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.RuntimeFailure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WriterLockTest {

  @TempDir Path folder;

  @Test
  void isRefusedToASecondOne() {
    Path model = folder.resolve("model.onnx");
    WriterLock first = WriterLock.acquire(model);
    assertThatThrownBy(() -> WriterLock.acquire(model))
        .isInstanceOf(RuntimeFailure.class)
        .hasMessageContaining("another process is changing it");
    first.close();
    WriterLock.acquire(model).close();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void isFreeThoughACrashLeftItsFile() throws Exception {
    Path model = folder.resolve("model.onnx");
    Files.write(WriterLock.pathFor(model), new byte[8]);
    WriterLock.acquire(model).close();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void isNeverHadByTwo() throws Exception {
    Path model = folder.resolve("model.onnx");
    AtomicInteger holders = new AtomicInteger();
    AtomicInteger had = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    List<Future<Boolean>> results = new ArrayList<>();
    CountDownLatch begin = new CountDownLatch(1);
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      for (int i = 0; i < 4; i++) {
        results.add(
            threads.submit(() -> {
              begin.await();
              for (int time = 0; time < 200; time++) {
                try (WriterLock lock = WriterLock.acquire(model)) {
                  assertThat(lock).isNotNull();
                  most.accumulateAndGet(holders.incrementAndGet(), Math::max);
                  had.incrementAndGet();
                  holders.decrementAndGet();
                } catch (RuntimeFailure e) {
                  Thread.onSpinWait(); // another one has it
                }
              }
              return true;
            }));
      }
      begin.countDown();
      for (Future<Boolean> result : results) {
        assertThat(result.get()).isTrue();
      }
    }
    assertThat(had).hasPositiveValue();
    assertThat(most).hasValue(1);
  }
}

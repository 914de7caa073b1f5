package dev.graft.fold;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/**
 * A value that is made while the caller does something else.
 *
 * @param <T> its type
 */
public final class Background<T> {

  private final FutureTask<T> task;

  private Background(FutureTask<T> task) {
    this.task = task;
  }

  /** Begins to make a value on a thread of its own. */
  public static <T> Background<T> start(Supplier<T> work) {
    FutureTask<T> task = new FutureTask<>(work::get);
    Thread.ofPlatform().daemon().start(task);
    return new Background<>(task);
  }

  /** A value that is made by whoever asks for it first. */
  static <T> Background<T> later(Supplier<T> work) {
    return new Background<>(new FutureTask<>(work::get));
  }

  /** Waits for the value; what went wrong in making it goes wrong here. */
  public T get() {
    // Does nothing where another thread has begun.
    task.run();
    try {
      return task.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException known) {
        throw known;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException("a supplier throws no checked exception", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting", e);
    }
  }
}

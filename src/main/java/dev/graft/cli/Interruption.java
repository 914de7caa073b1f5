package dev.graft.cli;

import java.lang.reflect.Proxy;

/**
 * Lets the first Ctrl-C ask for an end where the work can be saved; a second one ends the process
 * as usual. The JDK has signals in a class outside its API, which is reached by name so that
 * nothing is lost where a JDK comes without it.
 */
final class Interruption implements AutoCloseable {

  private static final String SIGNAL = "sun.misc.Signal";
  private static final String HANDLER = "sun.misc.SignalHandler";

  private volatile boolean asked;
  private Runnable restore = () -> {};

  private Interruption() {}

  /** Begins to listen. */
  static Interruption listen() {
    Interruption interruption = new Interruption();
    try {
      interruption.install();
    } catch (ReflectiveOperationException | RuntimeException e) {
      // Ctrl-C then ends the process at once, as it does without us.
      interruption.restore = () -> {};
    }
    return interruption;
  }

  private void install() throws ReflectiveOperationException {
    Class<?> signal = Class.forName(SIGNAL);
    Class<?> handler = Class.forName(HANDLER);
    Object interrupt = signal.getConstructor(String.class).newInstance("INT");
    Object ours =
        Proxy.newProxyInstance(
            Interruption.class.getClassLoader(),
            new Class<?>[] {handler},
            (proxy, method, arguments) -> {
              if (method.getName().equals("handle")) {
                asked = true;
                restore.run();
              }
              return null;
            });
    Object before = signal.getMethod("handle", signal, handler).invoke(null, interrupt, ours);
    restore =
        () -> {
          try {
            signal.getMethod("handle", signal, handler).invoke(null, interrupt, before);
          } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("the handler of Ctrl-C cannot be put back", e);
          }
        };
  }

  /** Whether somebody wants an end. */
  boolean isAsked() {
    return asked;
  }

  /** Gives Ctrl-C its usual meaning back. */
  @Override
  public void close() {
    restore.run();
  }
}

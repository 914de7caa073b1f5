package dev.graft.runtime;

/**
 * How a session runs.
 *
 * @param intraOpThreads threads that share the work of one operator; 0 leaves it to ONNX Runtime,
 *     which takes one for each physical core
 * @param optimisation how far ONNX Runtime may rewrite the graph when it loads it
 * @param logSeverity the least severe message that ONNX Runtime itself writes to standard error.
 *     What makes a call fail arrives as an exception in any case
 */
public record SessionSettings(
    int intraOpThreads, Optimisation optimisation, LogSeverity logSeverity) {

  /** How far ONNX Runtime may rewrite a graph when it loads it. */
  public enum Optimisation {
    /** Runs the nodes as they are in the file. */
    NONE,
    /** Rewrites that keep to ONNX's own operators, such as folded constants. */
    BASIC,
    /** Also fuses nodes into ONNX Runtime's own operators. */
    EXTENDED,
    /** Also changes memory layouts; what ONNX Runtime does when nobody asks. */
    ALL
  }

  /** The least severe message that is written. */
  public enum LogSeverity {
    VERBOSE,
    INFO,
    WARNING,
    ERROR,
    FATAL
  }

  /** Checks the number of threads. */
  public SessionSettings {
    if (intraOpThreads < 0) {
      throw new IllegalArgumentException("a session cannot have " + intraOpThreads + " threads");
    }
  }

  /** ONNX Runtime's own choice of threads, every optimisation, and no messages but fatal ones. */
  public static SessionSettings defaults() {
    return new SessionSettings(0, Optimisation.ALL, LogSeverity.FATAL);
  }

  /** The same with another number of threads, 0 for ONNX Runtime's own choice. */
  public SessionSettings withIntraOpThreads(int threads) {
    return new SessionSettings(threads, optimisation, logSeverity);
  }

  /** The same with another optimisation level. */
  public SessionSettings withOptimisation(Optimisation level) {
    return new SessionSettings(intraOpThreads, level, logSeverity);
  }
}

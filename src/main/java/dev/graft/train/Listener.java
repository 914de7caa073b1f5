package dev.graft.train;

/** Is told how a run goes, and may end it. */
public interface Listener {

  /** The graph stands and the runtime has it; the first step is next. */
  void begins(TrainingReport.Job job);

  /** An entry of the log has been made. */
  void logged(LogEntry entry);

  /** Something the user should know but need not act on. */
  void warns(String warning);

  /** Whether the run is to end after the step that it is at, saved so that it can go on. */
  boolean wantsEnd();
}

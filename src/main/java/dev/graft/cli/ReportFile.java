package dev.graft.cli;

import dev.graft.error.UsageException;
import dev.graft.io.AtomicOutput;
import dev.graft.io.OutputGuard;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;

/** The file that {@code --report} names: it appears whole, or not at all. */
final class ReportFile implements AutoCloseable {

  private final Optional<AtomicOutput> output;

  private ReportFile(Optional<AtomicOutput> output) {
    this.output = output;
  }

  /**
   * Makes sure early that the report can be written.
   *
   * @param path where, if a report was asked for
   * @param taken files that it must not replace
   * @throws UsageException if it would
   */
  static ReportFile begin(Optional<Path> path, Collection<Path> taken) {
    path.ifPresent(p -> OutputGuard.check(taken, p));
    return new ReportFile(path.map(AtomicOutput::begin));
  }

  /** Refuses a report under a name that the merged model's data files may get. */
  static void requireApart(Optional<Path> report, Path model) {
    String data = model.toAbsolutePath().normalize() + ".data";
    if (report
        .filter(r -> r.toAbsolutePath().normalize().toString().startsWith(data))
        .isPresent()) {
      throw new UsageException(
          report.get()
              + ": the output's data files have such names; choose another for the report");
    }
  }

  void write(Record report) {
    if (output.isPresent()) {
      byte[] text = (Json.text(report) + System.lineSeparator()).getBytes(StandardCharsets.UTF_8);
      output.get().main().write(MemorySegment.ofArray(text), 0);
      output.get().commit();
    }
  }

  @Override
  public void close() {
    output.ifPresent(AtomicOutput::close);
  }
}

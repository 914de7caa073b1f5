package dev.graft.train;

import dev.graft.error.UsageException;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * How the learning rate goes.
 *
 * @param kind its shape
 * @param peak the highest rate
 * @param warmup optimizer steps during which it rises from 0
 * @param total optimizer steps of the whole run
 */
public record Schedule(Kind kind, double peak, long warmup, long total) {

  /** The shapes of Hugging Face's schedules that Graft knows. */
  public enum Kind {
    /** The peak all the time, without warm-up. */
    CONSTANT,
    /** A rise to the peak, then the peak. */
    CONSTANT_WITH_WARMUP,
    /** A rise to the peak, then down to 0 at the end of the run. */
    LINEAR;

    /** The shape as the command line calls it. */
    public String option() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * Reads a shape's name.
     *
     * @throws UsageException if there is no such shape
     */
    public static Kind parse(String text) {
      return Arrays.stream(values())
          .filter(kind -> kind.option().equals(text.replace('-', '_')))
          .findFirst()
          .orElseThrow(() ->
              new UsageException(
                  "'%s' is no schedule of the learning rate; there are %s"
                      .formatted(
                          text,
                          Arrays.stream(values())
                              .map(Kind::option)
                              .collect(Collectors.joining(", ")))));
    }
  }

  /** The rate of an optimizer step, from 0. */
  public double rate(long step) {
    return switch (kind) {
      case CONSTANT -> peak;
      case CONSTANT_WITH_WARMUP -> step < warmup ? rising(step) : peak;
      case LINEAR -> step < warmup ? rising(step) : falling(step);
    };
  }

  private double rising(long step) {
    return peak * step / Math.max(1, warmup);
  }

  private double falling(long step) {
    return peak * Math.max(0, (double) (total - step) / Math.max(1, total - warmup));
  }
}

package dev.graft.cli;

import java.util.Locale;

/** Numbers as people read them. */
final class Figures {

  private static final String[] UNITS = {"kB", "MB", "GB", "TB", "PB", "EB"};

  private Figures() {}

  /** A length such as {@code 90.4 MB}; a kB has 1000 bytes. */
  static String bytes(long count) {
    if (count < 1000) {
      return count + " B";
    }
    double value = count;
    int unit = -1;
    // 999.95 would be rounded to 1000.0.
    while (value >= 999.95 && unit < UNITS.length - 1) {
      value /= 1000;
      unit++;
    }
    return decimals(value, 1) + " " + UNITS[unit];
  }

  /** A whole number with its thousands apart. */
  static String count(long count) {
    return String.format(Locale.ROOT, "%,d", count);
  }

  static String seconds(double seconds) {
    return seconds < 10 ? decimals(seconds, 2) + " s" : Math.round(seconds) + " s";
  }

  /** An error or tolerance, such as {@code 2.1e-05} or {@code 0.32}. */
  static String error(double value) {
    if (value == 0) {
      return "0";
    }
    return String.format(Locale.ROOT, value < 1e-2 || value >= 1e4 ? "%.1e" : "%.3g", value);
  }

  /** A factor without needless digits. */
  static String factor(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e9
        ? Long.toString((long) value)
        : Float.toString((float) value);
  }

  private static String decimals(double value, int places) {
    return String.format(Locale.ROOT, "%." + places + "f", value);
  }
}

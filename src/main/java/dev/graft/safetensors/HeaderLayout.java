package dev.graft.safetensors;

import dev.graft.error.FormatException;
import dev.graft.safetensors.HeaderReader.Entry;
import java.util.Comparator;
import java.util.List;

/** Checks that the tensors of a header tile the data without hole, overlap or rest. */
final class HeaderLayout {

  private HeaderLayout() {}

  /**
   * Returns the entries in the order of their bytes.
   *
   * @param where the file, for messages
   * @param entries as the header lists them
   * @param dataBytes bytes between the end of the header and the end of the file
   */
  static List<Entry> inFileOrder(String where, List<Entry> entries, long dataBytes) {
    List<Entry> sorted =
        entries.stream()
            .sorted(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end))
            .toList();
    long at = 0;
    for (Entry entry : sorted) {
      String what = where + ": tensor " + StrictJson.excerpt(entry.name());
      checkSize(what, entry);
      if (entry.begin() != at) {
        throw new FormatException(
            what
                + " begins at data byte "
                + entry.begin()
                + ", but the tensor before it ends at "
                + at
                + (entry.begin() < at
                    ? "; the two overlap"
                    : "; the bytes between belong to no tensor"));
      }
      if (entry.end() > dataBytes) {
        throw new FormatException(
            what
                + " ends at data byte "
                + entry.end()
                + ", but the file holds only "
                + dataBytes
                + " bytes of data; it is truncated or was edited");
      }
      at = entry.end();
    }
    if (at != dataBytes) {
      throw new FormatException(
          where
              + ": holds "
              + (dataBytes - at)
              + " bytes after the last tensor (data byte "
              + at
              + " of "
              + dataBytes
              + "); the file was padded or edited");
    }
    return sorted;
  }

  private static void checkSize(String what, Entry entry) {
    long length = entry.end() - entry.begin();
    try {
      long bits = Math.multiplyExact(entry.shape().elements(), (long) entry.dtype().bits());
      if (bits % 8 == 0 && bits / 8 == length) {
        return;
      }
    } catch (ArithmeticException e) {
      throw new FormatException(
          what + ": shape " + entry.shape() + " needs more than 2^63 bits", e);
    }
    throw new FormatException(
        what
            + " spans "
            + length
            + " bytes (data bytes "
            + entry.begin()
            + " to "
            + entry.end()
            + "), but shape "
            + entry.shape()
            + " "
            + entry.dtype().safetensorsName()
            + " needs "
            + neededBytes(entry)
            + "; the file is truncated or was edited");
  }

  private static String neededBytes(Entry entry) {
    long bits = entry.shape().elements() * entry.dtype().bits();
    return bits % 8 == 0
        ? (bits / 8) + " bytes"
        : bits + " bits, which is no whole number of bytes";
  }
}

package dev.graft.fuzz;

import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Names and pieces of names that a kind of input is likely to trip over.
 *
 * @param words in no order
 */
record Words(List<String> words) {

  private static final long[] NUMBERS = {
    0,
    1,
    2,
    7,
    8,
    16,
    63,
    64,
    255,
    256,
    1023,
    1024,
    65535,
    65536,
    1L << 31,
    (1L << 31) - 1,
    1L << 32,
    (1L << 32) - 1,
    1L << 53,
    1L << 62,
    Long.MAX_VALUE,
    Long.MAX_VALUE - 7,
    Long.MIN_VALUE,
    -1,
    -2,
    -8
  };
  private static final int MAX_CHARS = 9000;

  static Words of(String... words) {
    return new Words(List.of(words));
  }

  /** One of them. */
  String any(RandomGenerator random) {
    return words.get(random.nextInt(words.size()));
  }

  /** A number near some border. */
  static long number(RandomGenerator random) {
    long number = NUMBERS[random.nextInt(NUMBERS.length)];
    return random.nextInt(4) == 0 ? number + random.nextInt(-4, 5) : number;
  }

  /** Another text: one of the words, or the text with words put in, parts cut out or repeated. */
  String changed(String text, RandomGenerator random) {
    int at = random.nextInt(text.length() + 1);
    int end = Math.min(text.length(), at + 1 + random.nextInt(8));
    String head = text.substring(0, at);
    String changed =
        switch (random.nextInt(8)) {
          case 0, 1 -> any(random);
          case 2 -> head + any(random) + text.substring(at);
          case 3 -> head + any(random) + text.substring(end);
          case 4 -> head + text.substring(end);
          case 5 -> head + text.substring(at, end).repeat(2) + text.substring(end);
          case 6 -> any(random) + any(random) + any(random);
          default -> any(random).repeat(1 + random.nextInt(random.nextInt(10) == 0 ? 600 : 4));
        };
    return changed.length() > MAX_CHARS ? changed.substring(0, MAX_CHARS) : changed;
  }
}

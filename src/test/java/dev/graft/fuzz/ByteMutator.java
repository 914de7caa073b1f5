package dev.graft.fuzz;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/** Damage that knows no format: bits, bytes and runs of them. */
final class ByteMutator implements Mutator {

  private static final byte[] USUAL = {0, 1, 0x7f, -1, -128, '"', '{', '[', '\\', '.', '/'};

  @Override
  public byte[] mutate(byte[] input, byte[] donor, RandomGenerator random) {
    byte[] bytes = input;
    for (int i = random.nextInt(4); i >= 0; i--) {
      bytes = once(bytes, donor, random);
    }
    return bytes;
  }

  private static byte[] once(byte[] bytes, byte[] donor, RandomGenerator random) {
    if (bytes.length == 0) {
      return donor.clone();
    }
    int at = random.nextInt(bytes.length);
    int length = Math.min(1 + random.nextInt(32), bytes.length - at);
    return switch (random.nextInt(7)) {
      case 0 -> with(bytes, at, (byte) (bytes[at] ^ (1 << random.nextInt(8))));
      case 1 -> with(bytes, at, (byte) random.nextInt());
      case 2 -> with(bytes, at, USUAL[random.nextInt(USUAL.length)]);
      case 3 -> Arrays.copyOf(bytes, at);
      case 4 -> replaced(bytes, at, length, new byte[0]);
      case 5 -> replaced(bytes, at, 0, Arrays.copyOfRange(bytes, at, at + length));
      default -> replaced(bytes, at, random.nextBoolean() ? length : 0, part(donor, random));
    };
  }

  private static byte[] with(byte[] bytes, int at, byte value) {
    byte[] changed = bytes.clone();
    changed[at] = value;
    return changed;
  }

  private static byte[] part(byte[] donor, RandomGenerator random) {
    if (donor.length == 0) {
      return donor;
    }
    int from = random.nextInt(donor.length);
    return Arrays.copyOfRange(donor, from, Math.min(donor.length, from + 1 + random.nextInt(32)));
  }

  private static byte[] replaced(byte[] bytes, int at, int length, byte[] by) {
    byte[] changed = Arrays.copyOf(bytes, bytes.length - length + by.length);
    System.arraycopy(by, 0, changed, at, by.length);
    System.arraycopy(bytes, at + length, changed, at + by.length, bytes.length - at - length);
    return changed;
  }
}

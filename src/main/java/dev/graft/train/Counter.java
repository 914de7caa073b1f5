package dev.graft.train;

/**
 * Random bits as a function of a key and a place: the same on any machine, in any order, and after
 * any interruption. The function is SplitMix64's, whose stream is its finaliser on multiples of an
 * odd constant.
 */
final class Counter {

  private static final long STRIDE = 0x9e3779b97f4a7c15L;

  private final long key;

  /** Bits that no other parts of a key share. */
  Counter(long... parts) {
    long mixed = 0;
    for (long part : parts) {
      mixed = mix(mixed + STRIDE + mix(part));
    }
    this.key = mixed;
  }

  /** The 64 bits at a place. */
  long at(long place) {
    return mix(key + (place + 1) * STRIDE);
  }

  private static long mix(long bits) {
    long mixed = (bits ^ (bits >>> 30)) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
    return mixed ^ (mixed >>> 31);
  }
}

package dev.graft.fuzz;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/** Inputs worth changing further: the seeds, and whatever ended as no input before it. */
final class Pool {

  private static final int MOST = 4000;

  private final List<byte[]> inputs;
  private final int seeds;
  private final Set<Integer> endings = new HashSet<>();

  Pool(List<byte[]> seeds) {
    this.inputs = new ArrayList<>(seeds);
    this.seeds = seeds.size();
  }

  /** What the pool began with. */
  List<byte[]> seeds() {
    return List.copyOf(inputs.subList(0, seeds));
  }

  /** One of the inputs, late ones and seeds a little more often. */
  byte[] any(RandomGenerator random) {
    int size = inputs.size();
    return switch (random.nextInt(4)) {
      case 0 -> inputs.get(random.nextInt(seeds));
      case 1 -> inputs.get(size - 1 - random.nextInt(Math.min(size, 50)));
      default -> inputs.get(random.nextInt(size));
    };
  }

  /** Keeps an input if nothing ended like it before. */
  void offer(byte[] input, int ending) {
    if (endings.add(ending) && inputs.size() < MOST) {
      inputs.add(input);
    }
  }

  /** How many ways of ending there were. */
  int endings() {
    return endings.size();
  }
}

package dev.graft.fuzz;

import java.util.random.RandomGenerator;

/** Changes the model or the adapter of a merge. */
final class MergeMutator implements Mutator {

  private final Mutator adapters = new AdapterMutator();
  private final Mutator models;

  MergeMutator(Mutator models) {
    this.models = models;
  }

  @Override
  public byte[] mutate(byte[] input, byte[] donor, RandomGenerator random) {
    MergeInput old = MergeInput.parse(input);
    MergeInput other = MergeInput.parse(donor);
    return random.nextInt(4) == 0
        ? new MergeInput(adapters.mutate(old.adapter(), other.adapter(), random), old.model())
            .toBytes()
        : new MergeInput(old.adapter(), models.mutate(old.model(), other.model(), random))
            .toBytes();
  }
}

package dev.graft.fold;

import dev.graft.fold.Merge.Effort;
import dev.graft.io.AtomicOutput;
import dev.graft.io.OutputFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Carries out the merges of one adapter into the files of one model. All bytes of all outputs are
 * on the disk before the first of them appears.
 */
public final class MergeSet {

  private final List<Merge> merges;

  /**
   * Prepares to carry out plans.
   *
   * @param merges one for each file, at least one
   */
  public MergeSet(List<Merge> merges) {
    this.merges = List.copyOf(merges);
  }

  /**
   * Writes the outputs.
   *
   * @param threads how many threads fold and copy; the bytes do not depend on it
   * @return one result for each merge; older files that could not be deleted stand in the first
   * @throws dev.graft.error.GraftException if it cannot be done; then nothing has changed
   */
  public List<Merge.Result> run(int threads) {
    merges.forEach(Merge::settle);
    Effort effort = new Effort(threads, TensorFolder.BLOCK_BYTES);
    try (AtomicOutput output = AtomicOutput.begin(merges.getFirst().outputPath())) {
      List<OutputFile> mains = new ArrayList<>(List.of(output.main()));
      // Every name is taken before the first data file gets one.
      merges.stream().skip(1).forEach(merge -> mains.add(output.addMain(merge.outputPath())));
      List<Merge.Result> results = new ArrayList<>();
      for (int i = 0; i < merges.size(); i++) {
        results.add(merges.get(i).write(new NewFiles(output, mains.get(i)), effort));
      }
      List<Path> leftOver = output.commit();
      results.set(0, results.getFirst().leaving(leftOver));
      return results;
    }
  }
}

package dev.graft.fold;

import dev.graft.error.GraftException;
import dev.graft.onnx.OnnxModel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/**
 * Data files of an earlier output of the same name, which nothing needs once it has been replaced.
 */
final class OlderOutput {

  private OlderOutput() {}

  /**
   * The data files that may go after the commit: those that the older model of this very name uses,
   * that bear its name, and that came from this tool.
   *
   * @param plan the merge
   * @param kept names of the new data files
   */
  static List<Path> dataFiles(MergePlan plan, Collection<String> kept) {
    Path output = plan.request().output().toAbsolutePath();
    if (!Files.isRegularFile(output, LinkOption.NOFOLLOW_LINKS)) {
      return List.of();
    }
    try {
      OnnxModel older = OnnxModel.open(output);
      if (Provenance.of(older).isEmpty()) {
        return List.of();
      }
      String own = output.getFileName() + ".data";
      return older.dataFiles().entrySet().stream()
          .filter(f -> f.getKey().startsWith(own) && !kept.contains(f.getKey()))
          .map(Map.Entry::getValue)
          .filter(f -> plan.inputs().stream().noneMatch(i -> i.toAbsolutePath().equals(f)))
          .toList();
    } catch (GraftException e) {
      // Whatever lies there is not an intact model of ours; its neighbours are none of our
      // business.
      return List.of();
    }
  }
}

package dev.graft.fold;

import dev.graft.error.GraftException;
import dev.graft.io.InputFile;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.ThinRecord;
import dev.graft.undo.RecordReader;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Data files of an earlier output of the same name, which nothing needs once it has been replaced.
 */
final class OlderOutput {

  private OlderOutput() {}

  /** Every record that this tool leaves in a model has a key that begins like this. */
  private static final String OURS = "graft.";

  /**
   * The files that may go after the commit: the data files that the older model of this very name
   * uses, that bear its name, if it came from this tool; and its undo record, if the new one has
   * none.
   *
   * @param model where the output is to appear
   * @param inputs every file that is read, which stays
   * @param kept names of the new files
   */
  static List<Path> files(Path model, Collection<Path> inputs, Collection<String> kept) {
    Path output = model.toAbsolutePath();
    if (!Files.isRegularFile(output, LinkOption.NOFOLLOW_LINKS)) {
      return List.of();
    }
    try {
      OnnxModel older = OnnxModel.open(output);
      if (older.metadata().keySet().stream().noneMatch(key -> key.startsWith(OURS))) {
        return List.of();
      }
      String own = output.getFileName() + ".data";
      Stream<Path> data =
          older.dataFiles().entrySet().stream()
              .filter(f -> f.getKey().startsWith(own) && isOwn(older, f.getKey()))
              .map(Map.Entry::getValue);
      Stream<Path> record = Stream.of(UndoRecord.pathFor(output)).filter(OlderOutput::isRecord);
      return Stream.concat(data, record)
          .filter(f -> !kept.contains(String.valueOf(f.getFileName())))
          .filter(f -> inputs.stream().noneMatch(i -> i.toAbsolutePath().equals(f)))
          .toList();
    } catch (GraftException e) {
      // Whatever lies there is not an intact model of ours; its neighbours are none of our
      // business.
      return List.of();
    }
  }

  /** The other data files of a thin model are its base's, whatever their names. */
  private static boolean isOwn(OnnxModel older, String location) {
    return ThinRecord.of(older).map(t -> t.data().location().equals(location)).orElse(true);
  }

  /** Whether an undo record lies there. */
  static boolean isRecord(Path file) {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    try (InputFile open = InputFile.open(file)) {
      return RecordReader.isRecord(open);
    }
  }
}

package dev.graft.fold;

import dev.graft.io.AtomicOutput;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.function.Supplier;

/**
 * Names for the output's data files: {@code OUT.onnx.data}, {@code OUT.onnx.data.1}, …. A name that
 * is taken is left alone, because an older output may still need it until this one is complete; the
 * new file then carries a short hash of what it is made from.
 */
final class DataFileNames {

  private DataFileNames() {}

  /**
   * Chooses a name for each location of the base.
   *
   * @param locations the base's own, in order
   * @param model where the output's model file is to appear
   * @param output the output being made
   * @param hash of everything that determines the content; asked for only where a name is taken
   */
  static SequencedMap<String, String> choose(
      SequencedSet<String> locations, Path model, AtomicOutput output, Supplier<String> hash) {
    SequencedMap<String, String> names = new LinkedHashMap<>();
    int number = 0;
    for (String location : locations) {
      String plain = model.getFileName() + ".data" + (number == 0 ? "" : "." + number);
      String name = plain;
      for (int attempt = 0; !output.isFree(model.resolveSibling(name)); attempt++) {
        name = plain + "." + hash.get().substring(0, 8) + (attempt == 0 ? "" : "-" + attempt);
      }
      names.put(location, name);
      number++;
    }
    return names;
  }
}

package dev.graft.train;

import dev.graft.error.FormatException;
import dev.graft.io.Sha256;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The rows of a JSON-lines file, in memory.
 *
 * @param file where they are from
 * @param rows in the order of the file; empty lines do not count
 * @param sha256 of the rows, in hexadecimal digits
 * @param ignored fields that nothing is done with, sorted
 */
record Dataset(Path file, List<Row> rows, String sha256, Set<String> ignored) {

  /**
   * Reads a file whole.
   *
   * @throws FormatException if it is missing, empty, or one of its lines is no row for the task
   */
  static Dataset read(Path file, Task task) {
    if (!Files.isRegularFile(file)) {
      throw new FormatException(file + ": there is no such file of training rows");
    }
    RowReader reader = new RowReader(task);
    List<Row> rows = new ArrayList<>();
    Sha256 hash = new Sha256();
    try (BufferedReader lines = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      long number = 0;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        number++;
        if (!line.isBlank()) {
          rows.add(reader.read(file + " line " + number, number, line));
          byte[] text = (line + "\n").getBytes(StandardCharsets.UTF_8);
          hash.update(text, 0, text.length);
        }
      }
    } catch (CharacterCodingException e) {
      throw new FormatException(file + ": is not UTF-8 text", e);
    } catch (IOException e) {
      throw new FormatException(file + ": cannot be read: " + e.getMessage(), e);
    }
    if (rows.isEmpty()) {
      throw new FormatException(file + ": holds no rows");
    }
    return new Dataset(file, List.copyOf(rows), hash.hex(), Set.copyOf(reader.ignored()));
  }
}

package dev.graft.safetensors;

import dev.graft.error.FormatException;
import dev.graft.io.InputFile;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.io.JsonStringEncoder;
import tools.jackson.core.json.JsonFactory;

/**
 * Reads JSON that strangers wrote: strict UTF-8, no key twice in an object, bounded depth, names
 * and strings, and nothing after the value. Every fault is a {@link FormatException} that names the
 * file.
 */
public final class StrictJson {

  private static final int MAX_DEPTH = 64;
  private static final int MAX_NAME_CHARS = 8192;
  private static final int MAX_STRING_CHARS = 16 << 20;
  private static final int EXCERPT_CHARS = 80;

  // Property names are never reused here, so a symbol table would only be a target for colliding
  // names.
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxNameLength(MAX_NAME_CHARS)
                  .maxStringLength(MAX_STRING_CHARS)
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
          .disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES)
          .build();

  private StrictJson() {}

  /** Work on a parser whose faults {@link #parse} turns into errors that name the file. */
  interface Step<T> {
    T apply(JsonParser parser);
  }

  /**
   * Reads a whole file.
   *
   * @param path the file
   * @param maxBytes the most that this kind of file may hold
   * @throws FormatException if it is missing, larger, or not strict JSON
   */
  public static Json read(Path path, long maxBytes) {
    try (InputFile file = InputFile.open(path)) {
      long size = file.size();
      if (size > maxBytes) {
        throw new FormatException(
            path + ": holds " + size + " bytes, but a file of this kind has at most " + maxBytes);
      }
      return parse(
          path + "",
          new FileStream(file, 0, size),
          parser -> new JsonReader(path + "", parser).value());
    }
  }

  /**
   * Reads a text that is at hand.
   *
   * @param path the file that it is for, as errors name it
   * @param text the whole text
   * @throws FormatException if it is not strict JSON
   */
  public static Json parse(Path path, String text) {
    InputStream bytes = new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    return parse(path + "", bytes, parser -> new JsonReader(path + "", parser).value());
  }

  /** Runs a step over one JSON value and checks that nothing follows it. */
  static <T> T parse(String where, InputStream bytes, Step<T> step) {
    try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), utf8(bytes))) {
      if (parser.nextToken() == null) {
        throw new FormatException(where + ": is empty where JSON is expected");
      }
      T result = step.apply(parser);
      if (parser.nextToken() != null) {
        throw new FormatException(
            where + ": something follows the JSON value at character " + offset(parser));
      }
      return result;
    } catch (JacksonException e) {
      throw fault(where, e);
    }
  }

  private static FormatException fault(String where, JacksonException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof CharacterCodingException) {
        return new FormatException(where + ": is not valid UTF-8", e);
      }
    }
    String at = e.getLocation() == null ? "" : " at character " + e.getLocation().getCharOffset();
    return new FormatException(
        where + ": is not strict JSON" + at + ": " + excerpt(firstLine(e.getOriginalMessage())), e);
  }

  private static String firstLine(String text) {
    int end = text.indexOf('\n');
    return end < 0 ? text : text.substring(0, end);
  }

  private static Reader utf8(InputStream bytes) {
    return new BufferedReader(
        new InputStreamReader(
            bytes,
            StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT)));
  }

  static long offset(JsonParser parser) {
    return parser.currentTokenLocation().getCharOffset();
  }

  /** The text as a JSON string, control characters escaped. */
  public static String quote(String text) {
    return '"' + new String(JsonStringEncoder.getInstance().quoteAsCharArray(text)) + '"';
  }

  /** The text in quotes, cut where a stranger's name would flood the message. */
  public static String excerpt(String text) {
    return text.length() <= EXCERPT_CHARS
        ? quote(text)
        : quote(text.substring(0, EXCERPT_CHARS)) + "... (" + text.length() + " characters)";
  }
}

package dev.graft.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Headers of safetensors files made to cost time or memory. */
class HostileHeaderTest {

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 100_000_000, 99_999_999, 3, 1L << 32})
  void refusesAHeaderThatIsNotThere(long length) throws IOException {
    assertThat(open(length, "{}").allocated()).isLessThan(1 << 20);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[9223372036854775807]",
        "[9223372036854775807,2]",
        "[4294967296,4294967296]",
        "[9223372036854775808]",
        "[-1]",
        "[0,9223372036854775807,9223372036854775807,9223372036854775807]",
        "[1e9]",
        "[[1]]",
        "[1152921504606846976]"
      })
  void refusesOrReadsHugeDimensionsForNothing(String shape) throws IOException {
    Trial trial =
        open("{\"a\":{\"dtype\":\"F64\",\"shape\":" + shape + ",\"data_offsets\":[0,0]}}");
    assertThat(trial.allocated()).isLessThan(1 << 20);
  }

  @Test
  void refusesAShapeOfMillions() throws IOException {
    open("{\"a\":{\"dtype\":\"F32\",\"shape\":[" + "1,".repeat(4_000_000) + "1]}}");
  }

  @Test
  void refusesMillionsOfFieldsThatTheFormatDoesNotKnow() throws IOException {
    String fields = object(1_000_000, i -> "\"" + i + "\":0");
    assertThat(open("{\"a\":" + fields + "}").thrown()).hasMessageContaining("too many fields");
    assertThat(open("{\"a\":{\"x\":" + fields + "}}").thrown())
        .hasMessageContaining("too many fields");
    assertThat(open("{\"a\":{\"x\":[" + "[],".repeat(1_000_000) + "0]}}").thrown())
        .hasMessageContaining("too many fields");
  }

  @Test
  void refusesMillionsOfMetadata() throws IOException {
    assertThat(
            open("{\"__metadata__\":" + object(400_000, i -> "\"" + i + "\":\"\"") + "}").thrown())
        .hasMessageContaining("entries");
  }

  @Test
  void readsManyNamesWithOneHash() throws IOException {
    String tensor = "\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}";
    assertThat(open(object(1 << 14, i -> "\"" + Bounds.collision(i, 14) + tensor)).thrown())
        .isNull();
  }

  @Test
  void refusesMillionsOfTensors() throws IOException {
    assertThat(
            open(object(
                    300_000,
                    i -> "\"" + i + "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}"))
                .thrown())
        .hasMessageContaining("more than 262144 tensors");
  }

  @Test
  void tellsNamesApartByCaseAndRefusesOneInTwoSpellings() throws IOException {
    String tensor = "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
    assertThat(open("{\"a" + tensor + ",\"A" + tensor + "}").thrown()).isNull();
    assertThat(open("{\"a" + tensor + ",\"\\u0061" + tensor + "}").thrown())
        .hasMessageContaining("uplicate");
  }

  private Trial open(String header) throws IOException {
    return open(header.getBytes(StandardCharsets.UTF_8).length, header);
  }

  private Trial open(long length, String header) throws IOException {
    byte[] file = SafetensorsMutator.file(length, header.getBytes(StandardCharsets.UTF_8), 0);
    try (SafetensorsReader reader = new SafetensorsReader(Files.createTempDirectory(folder, "h"))) {
      reader.lay(file);
      return Bounds.hold(file.length, reader::read);
    }
  }

  private static String object(int count, IntFunction<String> member) {
    return IntStream.range(0, count).mapToObj(member).collect(Collectors.joining(",", "{", "}"));
  }
}

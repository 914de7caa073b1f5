package dev.graft.safetensors;

import static dev.graft.safetensors.SafetensorsBytes.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsFileTest {

  private static final String A = entry("a", "F32 [2]", 0, 8);

  @TempDir Path folder;

  static Stream<Arguments> hostileHeaders() {
    return Stream.of(
        Arguments.of("leading space", " {" + A + "}", 8, "must begin with '{'"),
        Arguments.of("no object", "[]", 0, "must begin with '{'"),
        Arguments.of("something after the object", "{" + A + "}x", 8, "not strict JSON"),
        Arguments.of("a second object", "{" + A + "}{}", 8, "something follows the JSON value"),
        Arguments.of(
            "same tensor twice", "{" + A + "," + A + "}", 8, "Duplicate Object property \\\"a\\\""),
        Arguments.of(
            "same tensor twice, spelled with an escape",
            "{" + A + "," + A.replace("\"a\"", "\"\\u0061\"") + "}",
            8,
            "Duplicate"),
        Arguments.of(
            "same field twice",
            "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
            8,
            "Duplicate"),
        Arguments.of(
            "unknown type", "{" + entry("a", "F7 [2]", 0, 8) + "}", 8, "dtype \"F7\" is unknown"),
        Arguments.of("negative dimension", "{" + entry("a", "F32 [-2]", 0, 8) + "}", 8, "negative"),
        Arguments.of("negative zero", "{" + entry("a", "F32 [-0]", 0, 0) + "}", 0, "negative"),
        Arguments.of(
            "fractional dimension",
            "{" + entry("a", "F32 [2.0]", 0, 8) + "}",
            8,
            "non-negative integers"),
        Arguments.of(
            "exponent", "{" + entry("a", "F32 [2e0]", 0, 8) + "}", 8, "non-negative integers"),
        Arguments.of(
            "dimension as text",
            "{" + entry("a", "F32 [\"2\"]", 0, 8) + "}",
            8,
            "non-negative integers"),
        Arguments.of(
            "product over 2^63",
            "{" + entry("a", "F32 [9223372036854775807,3]", 0, 8) + "}",
            8,
            "more elements than 2^63"),
        Arguments.of(
            "bits over 2^63",
            "{" + entry("a", "F32 [4611686018427387904]", 0, 8) + "}",
            8,
            "more than 2^63 bits"),
        Arguments.of(
            "a dimension over 2^63",
            "{" + entry("a", "F32 [9223372036854775808]", 0, 8) + "}",
            8,
            "strict JSON"),
        Arguments.of(
            "a dimension of 2^64",
            "{" + entry("a", "F32 [18446744073709551616]", 0, 8) + "}",
            8,
            "strict JSON"),
        Arguments.of(
            "too many dimensions",
            "{" + entry("a", "F32 [" + "1,".repeat(64) + "1]", 0, 4) + "}",
            4,
            "more than 64"),
        Arguments.of(
            "gap before the first",
            "{" + entry("a", "F32 [1]", 4, 8) + "}",
            8,
            "belong to no tensor"),
        Arguments.of(
            "gap between",
            "{" + A + "," + entry("b", "F32 [1]", 12, 16) + "}",
            16,
            "belong to no tensor"),
        Arguments.of("overlap", "{" + A + "," + entry("b", "F32 [2]", 4, 12) + "}", 12, "overlap"),
        Arguments.of(
            "same bytes twice", "{" + A + "," + entry("b", "F32 [2]", 0, 8) + "}", 8, "overlap"),
        Arguments.of(
            "beyond the end", "{" + entry("a", "F32 [4]", 0, 16) + "}", 8, "holds only 8 bytes"),
        Arguments.of("bytes left over", "{" + A + "}", 12, "4 bytes after the last tensor"),
        Arguments.of("data without tensors", "{}", 1, "1 bytes after the last tensor"),
        Arguments.of(
            "begin after end", "{" + entry("a", "F32 [2]", 8, 0) + "}", 8, "begin not after end"),
        Arguments.of(
            "size against shape",
            "{" + entry("a", "F32 [16, 384]", 0, 4096) + "}",
            4096,
            "needs 24576 bytes"),
        Arguments.of("half a byte", "{" + entry("a", "F4 [3]", 0, 1) + "}", 1, "12 bits"),
        Arguments.of(
            "three offsets", "{" + A.replace("[0,8]", "[0,8,8]") + "}", 8, "more than 2 items"),
        Arguments.of(
            "no shape", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}}", 8, "has no shape"),
        Arguments.of("entry is a list", "{\"a\":[]}", 0, "must be an object with dtype"),
        Arguments.of("metadata is a list", "{\"__metadata__\":[]}", 0, "__metadata__ must be"),
        Arguments.of(
            "metadata value is a number", "{\"__metadata__\":{\"k\":1}}", 0, "must be a string"),
        Arguments.of("metadata twice", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "Duplicate"),
        Arguments.of("NaN", "{\"a\":NaN}", 0, "not strict JSON"),
        Arguments.of("comment", "{/* */}", 0, "not strict JSON"),
        Arguments.of(
            "half a surrogate pair", "{" + A.replace("\"a\"", "\"\\ud800\"") + "}", 8, "surrogate"),
        Arguments.of(
            "deep nesting",
            "{\"a\":{\"x\":" + "[".repeat(70) + "]".repeat(70) + "}}",
            0,
            "nesting depth"),
        Arguments.of(
            "long name",
            "{" + entry("n".repeat(10_000), "F32 [2]", 0, 8) + "}",
            8,
            "not strict JSON"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("hostileHeaders")
  void refusesHeadersThatBreakTheFormat(String what, String header, int dataBytes, String message) {
    Path file =
        SafetensorsBytes.write(
            folder.resolve("bad.safetensors"), SafetensorsBytes.of(header, dataBytes));

    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(message)
        .satisfies(e -> assertThat(String.valueOf(e.getMessage())).hasSizeLessThan(600));
  }

  static Stream<Arguments> hostileBytes() {
    byte[] empty = "{}".getBytes(StandardCharsets.UTF_8);
    return Stream.of(
        Arguments.of("nothing", new byte[0], "too few"),
        Arguments.of("half a length", new byte[] {2, 0, 0}, "too few"),
        Arguments.of(
            "length over the cap",
            SafetensorsBytes.of(100_000_001, empty, new byte[0]),
            "at most 100000000"),
        Arguments.of(
            "negative length", SafetensorsBytes.of(-1, empty, new byte[0]), "18446744073709551615"),
        Arguments.of(
            "length past the end", SafetensorsBytes.of(3, empty, new byte[0]), "only 2 follow"),
        Arguments.of(
            "length of one", SafetensorsBytes.of(1, empty, new byte[0]), "must begin with '{'"),
        Arguments.of(
            "not UTF-8",
            SafetensorsBytes.of(
                7, new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'}, new byte[0]),
            "not valid UTF-8"),
        Arguments.of(
            "overlong UTF-8",
            SafetensorsBytes.of(
                8,
                new byte[] {'{', '"', (byte) 0xc1, (byte) 0xa1, '"', ':', '1', '}'},
                new byte[0]),
            "not valid UTF-8"),
        Arguments.of(
            "a zip as torch.save writes it",
            "PK\3\4..................".getBytes(StandardCharsets.UTF_8),
            "probably no safetensors"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("hostileBytes")
  void refusesFilesThatAreNone(String what, byte[] bytes, String message) {
    Path file = SafetensorsBytes.write(folder.resolve("bad.safetensors"), bytes);

    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(file.toString())
        .hasMessageContaining(message);
  }

  @Test
  void namesWhatIsMissingOrADirectory() {
    assertThatThrownBy(() -> SafetensorsFile.open(folder.resolve("none.safetensors")))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("none.safetensors: no such file");
    assertThatThrownBy(() -> SafetensorsFile.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("is a directory");
    assertThatThrownBy(() -> SafetensorsFile.open(Path.of("/dev/zero")))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("a regular file is expected");
  }

  @Test
  void refusesMoreTensorsThanTheCap() {
    StringBuilder header = new StringBuilder("{");
    for (int i = 0; i <= HeaderReader.MAX_TENSORS; i++) {
      header.append(i == 0 ? "" : ",").append(entry("t" + i, "U8 [0]", 0, 0));
    }
    Path file =
        SafetensorsBytes.write(
            folder.resolve("many"), SafetensorsBytes.of(header.append('}').toString(), 0));

    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("more than 262144 tensors");
  }

  @Test
  void acceptsWhatTheFormatAllows() {
    String header =
        "{"
            + entry("last", "BF16 [2,1]", 8, 12)
            + ","
            + entry("empty", "F32 [0,9223372036854775807]", 8, 8)
            + ",\"__metadata__\":{\"format\":\"pt\"},"
            + entry("", "F32 []", 4, 8)
            + ","
            + entry("first", "F4 [8]", 0, 4).replace("}", ",\"extra\":{\"x\":[1,null]}}")
            + "}  \n";
    Path file =
        SafetensorsBytes.write(folder.resolve("ok.safetensors"), SafetensorsBytes.of(header, 12));

    SafetensorsFile opened = SafetensorsFile.open(file);

    assertThat(opened.tensors().keySet()).containsExactly("first", "", "empty", "last");
    assertThat(opened.metadata()).isEqualTo(Map.of("format", "pt"));
    SafetensorsTensor last = opened.tensor("last").orElseThrow();
    assertThat(last.dtype()).isEqualTo(DType.BFLOAT16);
    assertThat(last.shape()).isEqualTo(Shape.of(2, 1));
    assertThat(last.source().file()).isEqualTo(file);
    assertThat(last.source().end()).isEqualTo(file.toFile().length());
    assertThat(last.source().length()).isEqualTo(4);
  }

  @Test
  void readsWhatPeftSaved() {
    SafetensorsFile file =
        SafetensorsFile.open(
            Path.of("testdata/cases/llama-ts-pattern/adapter/adapter_model.safetensors"));

    assertThat(file.tensors()).hasSize(28);
    assertThat(file.metadata()).containsEntry("format", "pt");
    assertThat(file.tensor("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"))
        .hasValueSatisfying(t -> assertThat(t.shape()).isEqualTo(Shape.of(8, 32)));
  }

  @Test
  void survivesEveryTruncationOfARealFile() throws IOException {
    byte[] whole =
        Files.readAllBytes(
            Path.of("testdata/cases/llama-ts-plain/adapter/adapter_model.safetensors"));
    Path file = folder.resolve("cut.safetensors");
    for (int length = 0; length < whole.length; length += 97) {
      SafetensorsBytes.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> SafetensorsFile.open(file)).isInstanceOf(FormatException.class);
    }
  }
}

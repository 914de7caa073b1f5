package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OtherFormatTest {

  @TempDir Path folder;

  @Test
  void tellsADirectory() {
    assertThatThrownBy(() -> OnnxModel.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessage(folder + ": is a directory, a file is expected");
  }

  @Test
  void tellsAMissingFile() {
    Path missing = folder.resolve("missing.onnx");
    assertThatThrownBy(() -> OnnxModel.open(missing))
        .isInstanceOf(FormatException.class)
        .hasMessage(missing + ": no such file");
  }

  @Test
  void tellsAnEmptyFile() throws IOException {
    refuses(new byte[0], "the file is empty");
  }

  @Test
  void tellsASafetensorsFile() throws IOException {
    String header = "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    byte[] length = {(byte) text.length, 0, 0, 0, 0, 0, 0, 0};
    refuses(Wire.join(length, text, new byte[4]), "it is a safetensors file");
  }

  @Test
  void tellsAnArchive() throws IOException {
    refuses(Wire.join("PK\3\4".getBytes(StandardCharsets.US_ASCII), new byte[9]), "a zip archive");
  }

  @ParameterizedTest
  @CsvSource({
    "'version https://git-lfs.github.com/spec/v1\noid sha256:12', the pointer of Git LFS",
    "'GGUF', a GGUF file",
    "'# A model card\n\nHello.\n', plain text",
    "'{\"peft_type\": \"LORA\"}', plain text",
    "'h', plain text",
  })
  void tellsTextFiles(String text, String words) throws IOException {
    refuses(text.getBytes(StandardCharsets.US_ASCII), words);
  }

  @Test
  void keepsTheExactComplaintAboutADamagedModel() throws IOException {
    Path file = Files.write(folder.resolve("m.onnx"), Wire.raw(0x08, 0x08, 0x3a, 0x7f, 0x0a));
    assertThatThrownBy(() -> OnnxModel.open(file))
        .isInstanceOf(FormatException.class)
        .hasMessage(
            file
                + ": byte 3 announces 127 bytes, but its message ends after 1;"
                + " the file is truncated or is not an ONNX model");
  }

  private void refuses(byte[] bytes, String words) throws IOException {
    Path file = Files.write(folder.resolve("m.onnx"), bytes);
    assertThatThrownBy(() -> OnnxModel.open(file))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(file + ": is not an ONNX model: ")
        .hasMessageContaining(words);
  }
}

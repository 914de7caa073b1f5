package dev.graft.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WireBytesTest {

  @ParameterizedTest
  @ValueSource(longs = {0, 127, 128, 16383, 16384, Integer.MAX_VALUE, Long.MAX_VALUE, -1})
  void writesVarints(long value) {
    assertThat(WireBytes.varint(value)).isEqualTo(Wire.number(value));
  }

  @Test
  void writesFields() {
    byte[] written =
        new WireBytes().number(1, 300).string(16, "ü").bytes(3, new byte[200]).toByteArray();
    assertThat(written)
        .isEqualTo(
            Wire.join(Wire.varint(1, 300), Wire.string(16, "ü"), Wire.message(3, new byte[200])));
  }

  @Test
  void writesTheHeaderOfAFieldWhoseContentFollows() {
    assertThat(WireBytes.header(9, 1L << 32))
        .isEqualTo(Wire.join(Wire.raw((9 << 3) | 2), Wire.number(1L << 32)));
  }
}

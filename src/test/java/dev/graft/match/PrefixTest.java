package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.UsageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrefixTest {

  @Test
  void refusesATextWithoutAnEqualsSign() {
    assertThatThrownBy(() -> Prefix.parse("model."))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("--prefix 'model.' is not of the form FROM=TO");
  }

  @ParameterizedTest
  @CsvSource({
    "bert.=, bert., ''",
    "bert=, bert., ''",
    "=model, '', model.",
    "=, '', ''",
    "a.b=c.d., a.b., c.d.",
  })
  void readsBothSides(String text, String from, String to) {
    assertThat(Prefix.parse(text)).isEqualTo(new Prefix(from, to));
  }

  @Test
  void takesOffWholePartsOnly() {
    assertThat(Prefix.parse("bert=").apply("bertha.q")).isEmpty();
    assertThat(Prefix.parse("bert=m").apply("bert.q")).contains("m.q");
    assertThat(Prefix.NONE.apply("bert.q")).contains("bert.q");
  }
}

package dev.graft.match;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PythonListTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[",
        "]",
        "['a'",
        "'a']",
        "['a]",
        "['a\\']",
        "['a' 'b']",
        "['a',, 'b']",
        "[, 'a']",
        "['a', b]",
        "['a'] + ['b']",
        "['a'].pop()",
        "__import__('os')",
        "('a', 'b')",
        "[1]",
        "[None]",
        "[['a']]",
        "['\\q']",
        "['\\x4']",
        "['\\xzz']",
        "['\\U00110000']",
        "['\\Uffffffff']",
        "['\\",
      })
  void takesEverythingElseForNoList(String literal) {
    assertThat(PythonList.parse(literal)).isEmpty();
  }

  @Test
  void takesEndlessTextForNoList() {
    assertThat(PythonList.parse("[" + "'a', ".repeat(20_000) + "'b']")).isEmpty();
  }

  @Test
  void readsStrings() {
    assertThat(PythonList.parse("[]")).isEmpty();
    assertThat(PythonList.parse(" ['', 'model', \"layers.0\"] "))
        .containsExactly("", "model", "layers.0");
    assertThat(PythonList.parse("['a',]")).containsExactly("a");
  }

  @Test
  void readsQuotesAndBackslashesAsReprWritesThem() {
    assertThat(PythonList.parse("[\"it's\", 'say \"hi\"', 'both \\' and \"', 'a\\\\b']"))
        .containsExactly("it's", "say \"hi\"", "both ' and \"", "a\\b");
    assertThat(PythonList.parse("['a, b', '[c]', 'd]']")).containsExactly("a, b", "[c]", "d]");
  }

  @Test
  void readsEscapes() {
    assertThat(PythonList.parse("['\\n\\t\\r', '\\x41\\u00e9\\U0001f600']"))
        .containsExactly("\n\t\r", "Aé😀");
  }
}

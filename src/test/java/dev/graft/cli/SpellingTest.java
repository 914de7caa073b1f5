package dev.graft.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SpellingTest {

  @Test
  void leavesValuesAndShortOptionsAlone() {
    assertThat(Spelling.hyphenated("merge", "-m", "my_model.onnx", "a_b", "-x_y"))
        .containsExactly("merge", "-m", "my_model.onnx", "a_b", "-x_y");
  }

  @Test
  void leavesWhatStandsBehindTheEqualsSignAlone() {
    assertThat(Spelling.hyphenated("--output_path=my_dir/a_b=c_d"))
        .containsExactly("--output-path=my_dir/a_b=c_d");
  }

  @Test
  void leavesEverythingAfterTheEndOfOptionsAlone() {
    assertThat(Spelling.hyphenated("--dry_run", "--", "--dry_run"))
        .containsExactly("--dry-run", "--", "--dry_run");
  }

  @Test
  void turnsEveryUnderscoreOfAnOption() {
    assertThat(Spelling.hyphenated("--reference_outputs", "x", "--adapter_name_or_path"))
        .containsExactly("--reference-outputs", "x", "--adapter-name-or-path");
  }
}

package dev.graft.cli;

import static dev.graft.cli.CliRunner.graft;
import static org.assertj.core.api.Assertions.assertThat;

import dev.graft.cli.CliRunner.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class InspectCommandTest {

  @TempDir Path folder;

  @Test
  void asksForSomethingToInspect() {
    Run run = graft("inspect");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("nothing to inspect");
  }

  @Test
  void listsEveryMissAndGivesTheExitCodeOfMerge() {
    Run run = graft("inspect", "-m", Samples.OTHER_MODEL, "-a", Samples.ADAPTER);
    assertThat(run.code()).isEqualTo(3);
    assertThat(run.out())
        .contains("0 of 13 targets are bound")
        .contains("miss: bert.pooler.dense")
        .contains("miss: classifier.weight");
    assertThat(run.err().lines())
        .hasSize(2)
        .first()
        .asString()
        .contains("0 of 13 targets are bound, 13 are not");
  }

  @Test
  void putsMissesAndErrorIntoOneJsonDocument() {
    Run run = graft("inspect", "-m", Samples.OTHER_MODEL, "-a", Samples.ADAPTER, "--json");
    assertThat(run.code()).isEqualTo(3);
    JsonNode report = run.json();
    assertThat(report.path("schema").asInt()).isEqualTo(1);
    assertThat(report.path("verb").asString()).isEqualTo("inspect");
    assertThat(report.at("/binding/complete").asBoolean()).isFalse();
    assertThat(report.at("/binding/misses").size()).isEqualTo(13);
    assertThat(report.at("/binding/misses/0/reason").asString()).isNotEmpty();
    assertThat(report.at("/error/exitCode").asInt()).isEqualTo(3);
    assertThat(report.at("/error/kind").asString()).isEqualTo("binding");
  }

  @Test
  void namesTheNearestNamesOfAMiss() {
    Run run =
        graft(
            "inspect", "-m", Samples.MODEL, "-a", Samples.ADAPTER, "--prefix", "bert.=model.brt.");
    assertThat(run.code()).isEqualTo(3);
    assertThat(run.out()).contains("nearest: model.bert.pooler.dense");
  }

  @Test
  void saysWhatIsQuantised() {
    Run run = graft("inspect", "-m", Samples.MINILM_Q, "-a", Samples.MINILM_ADAPTER);
    assertThat(run.code()).isEqualTo(4);
    assertThat(run.out())
        .contains("36 x MatMulInteger")
        .contains("'onnx::MatMul_787_quantized' is quantised (MatMulInteger)");
    assertThat(run.err()).contains("quantise the result");
  }

  @Test
  void showsWhyAnAdapterCannotBeFolded() throws IOException {
    Path adapter =
        Samples.adapterWith(
            folder, "\"init_lora_weights\": true", "\"init_lora_weights\": \"olora\"");
    assertThat(graft("inspect", "-a", adapter).code()).isZero();
    assertThat(graft("inspect", "-a", adapter).out()).contains("no fold").contains("olora");
    Run both = graft("inspect", "-m", Samples.MODEL, "-a", adapter);
    assertThat(both.code()).isEqualTo(4);
    assertThat(both.out()).contains("13 of 13 targets are bound");
  }

  @Test
  void showsAModel() {
    Run run = graft("inspect", "-m", Samples.MODEL);
    assertThat(run.code()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .contains("IR 8, opset ai.onnx 17")
        .contains("272 nodes, 41 initializers, 17 sites")
        .containsPattern("FLOAT32: 23,533 values in 51 tensors")
        .containsPattern("model\\.bert\\.pooler\\.dense +initializer name +linear +Gemm")
        .containsPattern("node path +linear +MatMul +onnx::MatMul_366 +\\[32, 32\\] +in_out");
  }

  @Test
  void showsAnAdapter() {
    Run run = graft("inspect", "-a", Samples.ADAPTER);
    assertThat(run.code()).isZero();
    assertThat(run.out())
        .contains("LORA, r 4, alpha 8, scale 2")
        .contains("3,427 values in 24 tensors for 13 modules, FLOAT32");
  }

  @Test
  void showsWhichTargetBelongsWhere() {
    Run run = graft("inspect", "-m", Samples.MODEL, "-a", Samples.ADAPTER);
    assertThat(run.code()).isZero();
    assertThat(run.out())
        .contains("prefix: '' of the adapter is 'model.' in the model")
        .contains("13 of 13 targets are bound")
        .containsPattern(
            "(?m)^bert\\.encoder\\.layer\\.0\\.attention\\.self\\.query +lora +node path +"
                + "/model/bert/encoder/layer\\.0/attention/self/query/MatMul +onnx::MatMul_356 +"
                + "\\[32, 32\\] +all +in_out +FLOAT32 +2 +-$")
        .containsPattern("(?m)^classifier\\.bias +whole +initializer name .* +-$");
  }

  @Test
  void multipliesTheScaleWithTheUsersWeight() {
    Run run = graft("inspect", "-m", Samples.MODEL, "-a", Samples.ADAPTER + ":0.25", "--json");
    assertThat(run.json().at("/binding/bound/0/scale").asDouble()).isEqualTo(0.5);
    assertThat(run.json().at("/binding/bound/0/tensor/layout").asString()).isEqualTo("in_out");
  }

  @Test
  void tellsOfAdaptersInTheModel() {
    Path merged = folder.resolve("merged.onnx");
    assertThat(graft("merge", "-m", Samples.MODEL, "-a", Samples.ADAPTER, "-o", merged).code())
        .isZero();
    assertThat(graft("inspect", "-m", merged).out())
        .containsPattern("merged +adapter 'adapter', weight 1, 13 tensors, by graft ");
  }

  @Test
  void tellsOfDataFiles() throws IOException {
    Path model = Samples.externalIn(folder, "weights.bin");
    Files.write(folder.resolve("weights.bin"), Samples.weight());
    assertThat(graft("inspect", "-m", model).out())
        .containsPattern("data file +.*weights\\.bin, 4\\.1 kB");
  }

  @Test
  void printsNothingWhenQuiet() {
    Run run = graft("inspect", "-m", Samples.MODEL, "-a", Samples.ADAPTER, "--quiet");
    assertThat(run).isEqualTo(new Run(0, "", ""));
  }
}

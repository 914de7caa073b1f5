package dev.graft.cli;

import static dev.graft.cli.CliRunner.graft;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.graft.cli.CliRunner.Run;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TrainCommandTest {

  private static final Path CASE = Path.of("testdata/cases/llama-ts-plain");

  @TempDir Path folder;

  private Run train(Object... more) {
    List<Object> words =
        new ArrayList<>(
            List.of(
                "train",
                "-m",
                CASE.resolve("base.onnx"),
                "--init-adapter",
                CASE.resolve("adapter"),
                "--train-file",
                CASE.resolve("train/data.jsonl"),
                "-o",
                folder.resolve("out")));
    words.addAll(List.of(more));
    return graft(words.toArray());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "--max-steps=0; --max-steps is 0, expected 1 or more",
        "--per-device-train-batch-size=0; --per-device-train-batch-size is 0",
        "--gradient-accumulation-steps=-1; --gradient-accumulation-steps is -1",
        "--num-train-epochs=0; --num-train-epochs is 0.0",
        "--learning-rate=-1; --learning-rate is -1.0",
        "--learning-rate=NaN; --learning-rate is NaN",
        "--warmup-ratio=1; --warmup-ratio is 1.0",
        "--adam-beta1=1; --adam-beta1 is 1.0",
        "--lora-dropout=1; --lora-dropout is 1.0",
        "--label-smoothing-factor=1; --label-smoothing-factor is 1.0",
        "--optim=lion; 'lion' is no optimizer here",
        "--lr-scheduler-type=cosine; 'cosine' is no schedule",
        "--weight-decay-on=some; --weight-decay-on is 'some'",
        "--problem-type=some; 'some' is no problem type",
        "--logging-steps=0; --logging-steps is 0",
        "--save-steps=0; --save-steps is 0",
        "--device=gpu; 'gpu' is no device",
        "--threads=-1; --threads is -1"
      })
  void refusesOptionsThatMakeNoSense(String option, String reason) {
    Run run = train("--task", "causal-lm", option);
    assertThat(run.err()).contains(reason);
    assertThat(run.code()).isEqualTo(2);
    assertThat(folder.resolve("out")).doesNotExist();
  }

  @Test
  void refusesATaskThatItDoesNotKnow() {
    Run run = train("--task", "translation");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.err()).contains("'translation' is no task; there are causal-lm");
  }

  @Test
  void refusesRowsOfAnotherTask() {
    Run run = train("--task", "seq-cls");
    assertThat(run.code()).isEqualTo(4);
    assertThat(run.err()).contains("output 'logits' has 3 axes, but the task seq-cls needs 2");
  }

  @Test
  void takesTheNamesOfTrainingArgumentsInBothSpellings() {
    Run run =
        train(
            "--task",
            "causal-lm",
            "--per_device_train_batch_size",
            "2",
            "--max-steps",
            "2",
            "--learning_rate=5e-3",
            "--lr_scheduler_type",
            "constant",
            "--weight_decay",
            "0.01",
            "--weight-decay-on",
            "all",
            "--max_grad_norm",
            "0",
            "--no-shuffle",
            "--logging_steps",
            "1",
            "--average_tokens_across_window",
            "false",
            "--json");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.json().path("steps").intValue()).isEqualTo(2);
    assertThat(run.json().path("trainableParameters").intValue()).isGreaterThan(1000);
    assertThat(run.json().path("log").path(1).path("loss").doubleValue())
        .isCloseTo(4.507546901702881, within(1e-5));
    assertThat(run.err()).contains("step 2 of 2, epoch 0.50: loss 4.5075");
    assertThat(folder.resolve("out/adapter_model.safetensors")).exists();
  }

  @Test
  void mergesWhatItTrained() {
    train("--task", "causal-lm", "--max-steps", "1", "-q");
    Run run =
        graft(
            "merge",
            "-m",
            CASE.resolve("base.onnx"),
            "-a",
            folder.resolve("out"),
            "-o",
            folder.resolve("merged.onnx"));
    assertThat(run.code()).as(run.err()).isZero();
  }

  @Test
  void writesArtifactsAndSaysWhatAStepIsFed() {
    Run run =
        graft(
            "artifacts",
            "-m",
            CASE.resolve("base.onnx"),
            "--task",
            "causal-lm",
            "--init-adapter",
            CASE.resolve("adapter"),
            "-o",
            folder.resolve("job"),
            "--json");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.json().path("files")).hasSize(5);
    assertThat(run.json().path("inputs").valueStream().map(name -> name.asString()))
        .contains("input_ids", "labels", "label_rows", "loss_scale");
  }
}

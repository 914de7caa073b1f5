package dev.graft.fold;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.GraftException;
import dev.graft.error.UnsupportedException;
import dev.graft.error.UsageException;
import dev.graft.io.Progress;
import dev.graft.onnx.OnnxModel;
import dev.graft.onnx.ThinRecord;
import dev.graft.onnx.proto.ModelProto;
import dev.graft.onnx.proto.StringStringEntryProto;
import dev.graft.tensor.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Thin models on small bases, refusals first. */
class ThinMergeTest {

  @TempDir Path folder;

  private final LinearModel model = new LinearModel(DType.FLOAT32, DType.FLOAT32, 7);

  private Path base() throws IOException {
    return model.writeExternalModel(Files.createDirectories(folder.resolve("base")));
  }

  private MergePlan plan(Path base, Path output) throws IOException {
    return MergePlan.of(
        MergeRequest.of(base, model.writeAdapter(folder.resolve("adapter")), output));
  }

  private Path thin(Path base, Path output) throws IOException {
    ThinMerge merge = new ThinMerge(new Merge(plan(base, output), "t", Progress.NONE));
    ThinMerge.run(List.of(merge), 2);
    return output;
  }

  private Path thin() throws IOException {
    return thin(base(), folder.resolve("task.onnx"));
  }

  private static void change(Path file, UnaryOperator<byte[]> change) throws IOException {
    Files.write(file, change.apply(Files.readAllBytes(file)));
  }

  private static void tamper(Path thin, String from, String to) throws IOException {
    ModelProto.Builder changed = ModelProto.parseFrom(Files.readAllBytes(thin)).toBuilder();
    for (StringStringEntryProto.Builder entry : changed.getMetadataPropsBuilderList()) {
      if (entry.getKey().equals(ThinRecord.KEY)) {
        assertThat(entry.getValue()).contains(from);
        entry.setValue(entry.getValue().replace(from, to));
      }
    }
    Files.write(thin, changed.build().toByteArray());
  }

  @ParameterizedTest
  @CsvSource({"base/below/task.onnx", "elsewhere/task.onnx"})
  void refusesAnOutputThatIsNotInTheFolderOfItsBaseOrAbove(String output) throws IOException {
    Path base = base();
    Files.createDirectories(folder.resolve(output).getParent());
    assertThatThrownBy(() -> thin(base, folder.resolve(output)))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("in the folder of its base")
        .hasMessageContaining("outside a model's own folder");
    assertThat(folder.resolve(output)).doesNotExist();
  }

  @Test
  void refusesABaseThatIsALinkOrHasTwoNames() throws IOException {
    Path base = model.writeModel(folder.resolve("base"));
    Path link = Files.createSymbolicLink(base.resolveSibling("link.onnx"), base);
    assertThatThrownBy(() -> thin(link, folder.resolve("task.onnx")))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("symbolic link");
    Files.createLink(base.resolveSibling("hard.onnx"), base);
    assertThatThrownBy(() -> thin(base, folder.resolve("task.onnx")))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("hard links");
  }

  @Test
  void refusesABaseThatWasTrainedFurther() throws IOException {
    Path thin = thin();
    change(
        folder.resolve("base/weights.bin"),
        bytes -> {
          bytes[3] ^= 1;
          return bytes;
        });
    assertThatThrownBy(() -> OnnxModel.open(thin))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("is not the one that it was made from")
        .hasMessageContaining("SHA-256");
  }

  @ParameterizedTest
  @CsvSource({"base/weights.bin, -1", "base/weights.bin, 1", "base/model.onnx, 2"})
  void refusesABaseOfAnotherLength(String file, int more) throws IOException {
    Path thin = thin();
    change(folder.resolve(file), bytes -> Arrays.copyOf(bytes, bytes.length + more));
    assertThatThrownBy(() -> OnnxModel.open(thin))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("is not the one that it was made from")
        .hasMessageContaining("bytes, not");
  }

  @Test
  void refusesABaseWithAnotherGraphAndOneThatIsGone() throws IOException {
    Path thin = thin();
    Path base = folder.resolve("base/model.onnx");
    change(
        base,
        bytes ->
            new String(bytes, StandardCharsets.ISO_8859_1)
                .replace("/fc/MatMul", "/fd/MatMul")
                .getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> OnnxModel.open(thin))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("the graph of");
    Files.delete(base);
    assertThatThrownBy(() -> OnnxModel.open(thin))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("no such file");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"location\":\"base/model.onnx\" | \"location\":\"../model.onnx\" | '..'",
        "\"location\":\"base/model.onnx\" | \"location\":\"/etc/passwd\" | absolute",
        "\"location\":\"base/model.onnx\" | \"location\":\"task.onnx\" | bytes, not",
        "\"schema\":1 | \"schema\":2 | version 2",
        "\"file\":1 | \"file\":7 | names file 7",
        "\"witnesses\" | \"strangers\" | not a record",
      })
  void refusesARecordThatAStrangerWrote(String from, String to, String why) throws IOException {
    Path thin = thin();
    tamper(thin, from, to);
    assertThatThrownBy(() -> OnnxModel.open(thin))
        .isInstanceOf(GraftException.class)
        .hasMessageContaining(why);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"pieces\":[[0,0,0, | \"pieces\":[[0,9,0,",
        "\"pieces\":[[0,0,0, | \"pieces\":[[0,0,99999999,",
        "\"pieces\":[[0,0,0, | \"pieces\":[[0,0,-1,",
        "\"pieces\":[[0,0,0, | \"pieces\":[[5,0,0,",
        "\"pieces\":[[0,0,0, | \"pieces\":[[],[0,0,0,",
      })
  void refusesToMaterializeALayoutThatDoesNotFit(String from, String to) throws IOException {
    Path thin = thin();
    tamper(thin, from, to);
    Path output = folder.resolve("full/model.onnx");
    assertThatThrownBy(() -> materialize(thin, output))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("damaged");
    assertThat(output).doesNotExist();
  }

  @Test
  void refusesToMaterializeOwnDataThatWasChanged() throws IOException {
    Path thin = thin();
    change(
        folder.resolve("task.onnx.data"),
        bytes -> {
          bytes[5] ^= 1;
          return bytes;
        });
    Path output = folder.resolve("full/model.onnx");
    assertThatThrownBy(() -> materialize(thin, output))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("was changed since the merge");
    assertThat(output.getParent()).doesNotExist();
  }

  @Test
  void refusesToMaterializeWhatStandsAloneAndToPatchWhatDoesNot() throws IOException {
    Path thin = thin();
    assertThatThrownBy(() -> ThinBase.open(folder.resolve("base/model.onnx")))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("is no thin model");
    MergeRequest again = MergeRequest.of(thin, folder.resolve("adapter"), folder.resolve("x.onnx"));
    MergeRequest twice =
        new MergeRequest(
            again.model(),
            again.adapter(),
            1,
            again.output(),
            again.options(),
            MergeRequest.Repeat.ALLOWED);
    assertThatThrownBy(() -> new Merge(MergePlan.of(twice), "t", Progress.NONE).run(1))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("graft materialize");
    assertThatThrownBy(() -> RestoredBase.open(thin, Optional.empty()))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("its base is there itself");
  }

  @ParameterizedTest
  @CsvSource({"EMBEDDED", "EXTERNAL", "TYPED"})
  void materializedIsTheOrdinaryMergeHoweverTheBaseKeepsItsWeights(String kept) throws IOException {
    Path at = Files.createDirectories(folder.resolve("base"));
    Path base =
        switch (kept) {
          case "EMBEDDED" -> model.writeModel(at);
          case "EXTERNAL" -> model.writeExternalModel(at);
          default -> model.writeTypedModel(at);
        };
    Path full = folder.resolve("full/model.onnx");
    new Merge(plan(base, full), "t", Progress.NONE).run(2);
    Path alone = folder.resolve("alone/model.onnx");
    materialize(thin(base, base.resolveSibling("task.onnx")), alone);
    assertThat(alone).hasSameBinaryContentAs(full);
    for (String location : OnnxModel.open(full).dataFiles().sequencedKeySet()) {
      assertThat(alone.resolveSibling(location))
          .hasSameBinaryContentAs(full.resolveSibling(location));
    }
  }

  @Test
  void leavesTheFilesOfTheBaseAloneWhenItIsReplaced() throws IOException {
    Path base = base();
    Path thin = thin(base, folder.resolve("task.onnx"));
    byte[] weights = Files.readAllBytes(base.resolveSibling("weights.bin"));
    thin(base, thin);
    assertThat(base.resolveSibling("weights.bin")).hasBinaryContent(weights);
    assertThat(folder.resolve("task.onnx.data")).doesNotExist();
    assertThat(OnnxModel.open(thin).dataFiles().keySet())
        .allMatch(name -> name.startsWith("task.onnx.data."));
  }

  @Test
  void findsTheThinModelsOnABase() throws IOException {
    Path base = base();
    assertThat(ThinModels.on(base)).isEmpty();
    Path above = thin(base, folder.resolve("above.onnx"));
    Path beside = thin(base, base.resolveSibling("beside.onnx"));
    Files.writeString(base.resolveSibling("broken.onnx"), "no model");
    Path other = model.writeModel(folder.resolve("other"));
    assertThat(ThinModels.on(base))
        .containsExactlyInAnyOrder(above.toRealPath(), beside.toRealPath());
    assertThat(ThinModels.on(other)).isEmpty();
  }

  private static void materialize(Path thin, Path output) {
    try (ThinBase base = ThinBase.open(thin)) {
      new Materialize(base, output, Progress.NONE).run(2);
    }
  }
}

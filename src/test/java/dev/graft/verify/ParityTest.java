package dev.graft.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.graft.error.FormatException;
import dev.graft.error.RuntimeFailure;
import dev.graft.runtime.SessionSettings;
import dev.graft.runtime.TinyModels;
import dev.graft.runtime.TinyModels.Wire;
import dev.graft.safetensors.SafetensorsWriter;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ParityTest {

  private static final Path CASES = Path.of("testdata/cases");
  private static final Inputs MADE_UP = Inputs.Generated.defaults();

  @TempDir Path folder;

  private static ParityReport compare(Path candidate, Reference reference, Inputs inputs) {
    return new Parity(SessionSettings.defaults(), Tolerance.defaults())
        .compare(candidate, reference, inputs);
  }

  private Path model(String name, Wire... wires) {
    return TinyModels.write(folder.resolve(name), wires);
  }

  private Path golden(String tensor, Shape shape, float... values) {
    Path file = folder.resolve("golden.safetensors");
    new SafetensorsWriter().add(tensor, shape, values).write(file);
    return file;
  }

  private static Reference.Stored stored(Path file, String tensor) {
    return new Reference.Stored(file, Optional.of(tensor));
  }

  @Test
  void saysThatThereIsNoSuchFileWhicheverItIs() {
    Path model = model("m.onnx", Wire.of("Neg", "x", "y", "2"));
    Path none = folder.resolve("none");
    Reference itself = new Reference.Model(model);
    assertThatThrownBy(() -> compare(none, itself, MADE_UP))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(none.toString());
    assertThatThrownBy(() -> compare(model, new Reference.Model(none), MADE_UP))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(none.toString());
    assertThatThrownBy(() -> compare(model, stored(none, "y"), MADE_UP))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(none.toString());
    assertThatThrownBy(() -> compare(model, itself, new Inputs.Stored(none)))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(none.toString());
  }

  @Test
  void saysThatATensorIsNotInTheReferenceFile() {
    Path model = model("m.onnx", Wire.of("Neg", "x", "y", "2"));
    Path golden = golden("base", Shape.of(2), 0, 0);
    assertThatThrownBy(() -> compare(model, stored(golden, "merged"), MADE_UP))
        .isInstanceOf(FormatException.class)
        .hasMessage(golden + ": there is no tensor 'merged'; the file has 'base'");
  }

  @Test
  void looksForTheTensorBeforeItLoadsTheModel() {
    Path golden = golden("base", Shape.of(2), 0, 0);
    assertThatThrownBy(
            () -> compare(folder.resolve("none.onnx"), stored(golden, "merged"), MADE_UP))
        .hasMessageContaining("there is no tensor 'merged'");
  }

  @Test
  void listsTheTensorsWhenNoneIsNamedLikeAnOutput() {
    Path model = model("m.onnx", Wire.of("Neg", "x", "y", "2"));
    Path golden = golden("base", Shape.of(2), 0, 0);
    assertThatThrownBy(
            () -> compare(model, new Reference.Stored(golden, Optional.empty()), MADE_UP))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("no tensor is named like an output of " + model + " ('y')")
        .hasMessageContaining("the file has 'base'")
        .hasMessageContaining(golden + ":TENSOR");
  }

  @Test
  void refusesStoredOutputsOfAnotherShape() {
    Path model = model("m.onnx", Wire.of("Neg", "x", "y", "2"));
    Path golden = golden("y", Shape.of(1, 2), 0, 0);
    assertThatThrownBy(
            () -> compare(model, new Reference.Stored(golden, Optional.empty()), MADE_UP))
        .isInstanceOf(FormatException.class)
        .hasMessage(model + ": output 'y' has shape [2], but the reference 'y' has [1, 2]");
  }

  @Test
  void refusesModelsWithoutACommonOutput() {
    Path candidate = model("a.onnx", Wire.of("Neg", "x", "a", "2"));
    Path reference = model("b.onnx", Wire.of("Neg", "x", "b", "2"));
    assertThatThrownBy(() -> compare(candidate, new Reference.Model(reference), MADE_UP))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("has the outputs 'a'")
        .hasMessageContaining("has 'b'; no name is in both");
  }

  @Test
  void refusesToCompareNothing() {
    Path model = model("m.onnx", Wire.of("Neg", "past", "y", "2", "2", "past"));
    assertThatThrownBy(() -> compare(model, new Reference.Model(model), MADE_UP))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("every output to compare is empty");
  }

  @Test
  void saysWhichInputsWereMadeUpWhenTheModelCannotTakeThem() {
    Path model = CASES.resolve("llama-ts-plain/base.onnx");
    Inputs tooHigh = new Inputs.Generated(0, 1000, Map.of("seq", 300L));
    assertThatThrownBy(() -> compare(model, new Reference.Model(model), tooHigh))
        .isInstanceOf(RuntimeFailure.class)
        .hasMessageContaining("seq=300")
        .hasMessageContaining("token ids below 1000");
  }

  @Test
  void failsWhenTheCandidateLacksAnOutput() {
    Path candidate =
        model("a.onnx", Wire.of("Neg", "x", "a", "2"), Wire.of("Neg", "u", "own", "2"));
    Path reference = model("b.onnx", Wire.of("Neg", "x", "a", "2"), Wire.of("Neg", "x2", "b", "2"));
    ParityReport report = compare(candidate, new Reference.Model(reference), MADE_UP);
    assertThat(report.holds()).isFalse();
    assertThat(report.missing()).containsExactly("b");
    assertThat(report.notCompared()).containsExactly("own");
    assertThat(report.outputs()).singleElement().matches(OutputParity::holds);
  }

  @Test
  void failsWhenOneOutputOfSeveralDiffers() {
    Path candidate =
        model("a.onnx", Wire.of("Neg", "x", "a", "64"), Wire.of("Neg", "u", "b", "64"));
    Path reference =
        model("b.onnx", Wire.of("Neg", "x", "a", "64"), Wire.of("Abs", "u", "b", "64"));
    ParityReport report = compare(candidate, new Reference.Model(reference), MADE_UP);
    assertThat(report.holds()).isFalse();
    assertThat(report.outputs()).extracting(OutputParity::holds).containsExactly(true, false);
  }

  @Test
  void failsWhenBothGiveNaN() {
    Path model = model("m.onnx", Wire.of("Sqrt", "x", "y", "64"));
    ParityReport report = compare(model, new Reference.Model(model), MADE_UP);
    assertThat(report.holds()).isFalse();
    assertThat(report.outputs().getFirst().errors().nonFinite()).isPositive();
  }

  @Test
  void failsWhenTheStoredOutputHoldsNaN() {
    Path model = model("m.onnx", Wire.of("Abs", "x", "y", "2"));
    Path inputs = folder.resolve("in.safetensors");
    new SafetensorsWriter().add("x", Shape.of(2), new float[] {1, -2}).write(inputs);
    Path golden = golden("y", Shape.of(2), 1, Float.NaN);
    ParityReport report =
        compare(model, new Reference.Stored(golden, Optional.empty()), new Inputs.Stored(inputs));
    assertThat(report.holds()).isFalse();
    assertThat(report.outputs().getFirst().errors().referenceNonFinite()).isEqualTo(1);
  }

  @Test
  void prefersTheOutputThatIsNamedLikeTheTensor() {
    Path model = model("m.onnx", Wire.of("Neg", "x", "y", "2"), Wire.of("Abs", "u", "z", "2"));
    Path inputs = folder.resolve("in.safetensors");
    new SafetensorsWriter()
        .add("x", Shape.of(2), new float[] {1, -2})
        .add("u", Shape.of(2), new float[] {3, -4})
        .add("ignored", Shape.of(1), new float[] {0})
        .write(inputs);
    ParityReport named =
        compare(model, stored(golden("z", Shape.of(2), 3, 4), "z"), new Inputs.Stored(inputs));
    assertThat(named.holds()).isTrue();
    assertThat(named.outputs()).extracting(OutputParity::name).containsExactly("z");
    assertThat(named.notCompared()).containsExactly("y");
    ParityReport first =
        compare(
            model,
            stored(golden("merged", Shape.of(2), -1, 2), "merged"),
            new Inputs.Stored(inputs));
    assertThat(first.holds()).isTrue();
    assertThat(first.outputs()).extracting(OutputParity::name).containsExactly("y");
    assertThat(first.outputs()).extracting(OutputParity::reference).containsExactly("merged");
  }

  @ParameterizedTest
  @CsvSource({"llama-ts-plain, 1e-5", "bert-dynamo-plain, 1e-5", "optimum-llama-fp16, 3e-3"})
  void runsTheCasesToPeftsOwnFigures(String name, double atol) {
    Path folder = CASES.resolve(name);
    Inputs inputs = new Inputs.Stored(folder.resolve("inputs.safetensors"));
    Parity parity = new Parity(SessionSettings.defaults(), new Tolerance(atol, atol, 0));
    Path golden = folder.resolve("golden.safetensors");
    Path base = folder.resolve("base.onnx");
    ParityReport report = parity.compare(base, stored(golden, "base"), inputs);
    assertThat(report.holds()).isTrue();
    assertThat(report.outputs().getFirst().argmax())
        .hasValueSatisfying(argmax -> assertThat(argmax.agreeing()).isEqualTo(argmax.total()));
    assertThat(parity.compare(base, stored(golden, "merged"), inputs).holds()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({"llama-ts-plain", "bert-dynamo-plain", "optimum-llama-fp16"})
  void everyCaseEqualsItselfOnMadeUpInputs(String name) {
    Path base = CASES.resolve(name).resolve("base.onnx");
    ParityReport report = compare(base, new Reference.Model(base), MADE_UP);
    assertThat(report.holds()).isTrue();
    assertThat(report.outputs().getFirst().errors().maxAbs()).isZero();
    assertThat(report.inputs()).isEqualTo("generated (seed 0, token ids 1 to 63)");
  }

  @Test
  void comparesAModelInHalfPrecisionWithOneInFull() {
    Path half = model("h.onnx", new Wire("Neg", "x", "y", DType.FLOAT16, List.of("8")));
    Path full = model("f.onnx", Wire.of("Neg", "x", "y", "8"));
    ParityReport report = compare(half, new Reference.Model(full), MADE_UP);
    assertThat(report.holds()).isTrue();
    assertThat(report.outputs().getFirst().atol()).isEqualTo(1e-2);
  }
}

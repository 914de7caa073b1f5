package dev.graft.adapter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.graft.adapter.LoraPair.Blocks;
import dev.graft.adapter.LoraPair.Kind;
import dev.graft.adapter.Replacement.Origin;
import dev.graft.error.FormatException;
import dev.graft.error.UnsupportedException;
import dev.graft.safetensors.SafetensorsBytes;
import dev.graft.safetensors.SafetensorsWriter;
import dev.graft.tensor.DType;
import dev.graft.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PeftAdapterTest {

  private static final String M = "base_model.model.m.";

  @TempDir Path folder;

  /** An adapter of F32 tensors, each spec {@code name [dims]}; r is 2, alpha 4. */
  private Path adapter(String fields, String... specs) throws IOException {
    SafetensorsBytes.write(
        folder.resolve("adapter_model.safetensors"), SafetensorsBytes.float32(specs));
    return config(fields);
  }

  private Path config(String fields) throws IOException {
    Files.writeString(
        folder.resolve("adapter_config.json"),
        "{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 4"
            + (fields.isEmpty() ? "" : ", " + fields)
            + "}");
    return folder;
  }

  private static Path golden(String name) {
    return Path.of("testdata/cases", name, "adapter");
  }

  private static <T extends AdapterTarget> List<T> only(PeftAdapter adapter, Class<T> type) {
    return adapter.targets().stream().filter(type::isInstance).map(type::cast).toList();
  }

  private static LoraPair pair(PeftAdapter adapter, String module) {
    return only(adapter, LoraPair.class).stream()
        .filter(p -> p.module().equals(module))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @CsvSource(
      delimiterString = " ~ ",
      value = {
        "q.lora_A.weight [2,3] ~ its partner lora_B is missing",
        "q.lora_B.weight [5,2] ~ its partner lora_A is missing",
        "q.lora_A.weight [2];q.lora_B.weight [5,2] ~ has shape [2], expected a matrix",
        "q.lora_A.weight [0,3];q.lora_B.weight [5,0] ~ has shape [0, 3], expected a matrix",
        "q.lora_A.weight [2,3];q.lora_B.weight [5,3] ~ so rank 2, but tensor \"base_model.model.m.q.lora_B.weight\" has shape [5, 3], so rank 3",
        "q.lora_A.weight [3,3];q.lora_B.weight [5,3] ~ so rank 3, but adapter_config.json gives this module rank 2",
        "q.lora_A.weight [2,3,1,1];q.lora_B.weight [5,2] ~ expected B of the same rank",
        "q.lora_A.weight [2,3,3];q.lora_B.weight [5,2,3] ~ its kernel 1 everywhere",
        "e.lora_embedding_A [2,3,1];e.lora_embedding_B [5,2] ~ expected two matrices",
        "e.lora_embedding_A [3,9];e.lora_embedding_B [5,3] ~ rank 2",
        "e.lora_embedding_A [2,9];e.lora_B.weight [5,2] ~ factors of a linear layer and of an embedding",
        "q.lora_A.weight [2,3];q.lora_B.weight [5,2];q.lora_B.bias [5] ~ lora_bias is false, but the module has a lora_B.bias",
        "q.lora_A.weight [2,3];q.lora_B.weight [5,2];q.lora_magnitude_vector [5] ~ use_dora is false",
        "q.lora_A.weight [2,3];q.lora_A.default.weight [2,3];q.lora_B.weight [5,2] ~ both stand for \"m.q\"",
        "q.lora_A.x.weight [2,3];q.lora_B.y.weight [5,2] ~ several adapters [x, y]",
        "q.lora_A.weight [2,3];q.lora_B.weight [5,2];k.weight [4] ~ tensors that no setting explains",
        "q.lora_A.weight [2,3];q.lora_B.weight [5,2];q.bias [5] ~ m.q.bias",
        "q.lora_A.weight [2,3];q.lora_B.weight [5,2];q.lora_diag [2] ~ lora_diag",
        "e.token_adapter.trainable_tokens_delta [2,4] ~ trainable_token_indices gives no indices"
      })
  void refusesTensorsThatDoNotFit(String specs, String message) throws IOException {
    String[] named = specs.split(";", -1);
    for (int i = 0; i < named.length; i++) {
      named[i] = M + named[i];
    }
    Path adapter = adapter("", named);

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith(folder.resolve("adapter_model.safetensors").toString())
        .hasMessageContaining(message);
  }

  @Test
  void collectsAllProblemsInOneMessage() throws IOException {
    Path adapter =
        adapter(
            "",
            M + "a.lora_A.weight [2,3]",
            M + "b.lora_B.weight [3,2]",
            M + "c.weight [1]",
            M + "d.weight [1]");

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("3 problems")
        .hasMessageContaining("m.a.lora_A.weight")
        .hasMessageContaining("m.b.lora_B.weight")
        .hasMessageContaining("m.c.weight")
        .hasMessageContaining("m.d.weight");
  }

  @Test
  void refusesAnEmptyFile() throws IOException {
    Path adapter = adapter("");

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("holds no tensors");
  }

  @Test
  void refusesMissingExtrasThatTheConfigurationPromises() throws IOException {
    Path adapter =
        adapter(
            "\"use_dora\": true, \"lora_bias\": true",
            M + "q.lora_A.weight [2,3]",
            M + "q.lora_B.weight [5,2]");

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("use_dora is true, but the module has no lora_magnitude_vector")
        .hasMessageContaining("lora_bias is true, but the module has no lora_B.bias");
  }

  @Test
  void stopsAtAPatternThatWouldRunForever() throws IOException {
    String[] specs = new String[800];
    for (int i = 0; i < specs.length; i += 2) {
      String module = M + i + ".a" + "a".repeat(7900);
      specs[i] = module + ".lora_A.weight [2,1]";
      specs[i + 1] = module + ".lora_B.weight [1,2]";
    }
    Path adapter = adapter("\"rank_pattern\": {\"((a?)*)*X\": 2}", specs);

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(
            "rank_pattern: pattern \"((a?)*)*X\": matching was given up after 200000000 steps");
  }

  @Test
  void refusesPicklesAndSaysHowToConvert() throws IOException {
    Path adapter = config("");
    Path pickle = Files.writeString(folder.resolve("adapter_model.bin"), "pickle");

    for (Path given : List.of(adapter, pickle)) {
      assertThatThrownBy(() -> PeftAdapter.open(given))
          .isInstanceOf(UnsupportedException.class)
          .hasMessageContaining("adapter_model.bin: is a Python pickle, which can run any code")
          .hasMessageContaining("safe_serialization=True")
          .hasMessageContaining("weights_only=True");
    }
  }

  @Test
  void saysWhatIsMissing() throws IOException {
    assertThatThrownBy(() -> PeftAdapter.open(folder.resolve("none")))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(
            "none: no such file or folder; a PEFT adapter is a folder with adapter_config.json");
    assertThatThrownBy(() -> PeftAdapter.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("holds neither adapter_config.json nor adapter_model.safetensors");
    Path weights =
        SafetensorsBytes.write(
            folder.resolve("adapter_model.safetensors"), SafetensorsBytes.float32());
    assertThatThrownBy(() -> PeftAdapter.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("adapter_model.safetensors but no adapter_config.json");
    assertThatThrownBy(() -> PeftAdapter.open(weights))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("it must lie beside adapter_model.safetensors");
    config("");
    Files.delete(weights);
    assertThatThrownBy(() -> PeftAdapter.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("holds adapter_config.json but no adapter_model.safetensors");
    assertThatThrownBy(() -> PeftAdapter.open(folder.resolve("adapter_config.json")))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("is no adapter");
  }

  @Test
  void listsTheAdaptersInSubFolders() throws IOException {
    for (String name : List.of("b", "a", "empty")) {
      Files.createDirectory(folder.resolve(name));
    }
    Files.writeString(folder.resolve("a/adapter_config.json"), "{}");
    Files.writeString(folder.resolve("b/adapter_config.json"), "{}");

    assertThatThrownBy(() -> PeftAdapter.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(
            "name one of them:\n  " + folder.resolve("a") + "\n  " + folder.resolve("b"))
        .hasMessageNotContaining("empty");
  }

  @ParameterizedTest
  @ValueSource(strings = {"LOKR", "PROMPT_TUNING", "SOMETHING"})
  void refusesOtherTypesBeforeItLooksAtTensors(String type) throws IOException {
    adapter("", "whatever [1]");
    Files.writeString(folder.resolve("adapter_config.json"), "{\"peft_type\": \"" + type + "\"}");

    assertThatThrownBy(() -> PeftAdapter.open(folder))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining(type);
  }

  @Test
  void opensWhatCannotBeFoldedButRefusesToFoldIt() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"kasa_config\": {\"beta\": 1}, \"init_lora_weights\": \"pissa\"",
                M + "q.lora_A.weight [2,3]",
                M + "q.lora_B.weight [5,2]",
                M + "q.lora_diag [2]"));

    assertThat(adapter.refusals()).hasSize(2);
    assertThat(adapter.warnings()).anyMatch(w -> w.contains("lora_diag"));
    assertThatThrownBy(adapter::requireFoldable)
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("kasa_config")
        .hasMessageContaining("init_lora_weights is 'pissa'");
  }

  @Test
  void refusesToFoldGroupedConvolutionsAndIntegers() throws IOException {
    new SafetensorsWriter()
        .add(M + "q.lora_A.weight", DType.INT8, Shape.of(2, 3), MemorySegment.ofArray(new byte[6]))
        .add(M + "q.lora_B.weight", Shape.of(5, 2), new float[10])
        .add(M + "c.lora_A.weight", Shape.of(2, 3, 3), new float[18])
        .add(M + "c.lora_B.weight", Shape.of(4, 1, 1), new float[4])
        .write(folder.resolve("adapter_model.safetensors"));
    PeftAdapter adapter = PeftAdapter.open(config(""));

    assertThat(adapter.refusals())
        .anyMatch(r -> r.contains("'m.c' is a grouped convolution (2 groups"))
        .anyMatch(r -> r.contains("q.lora_A.weight") && r.contains("I8"));
  }

  @Test
  void findsValuesThatAreNotFinite() throws IOException {
    float[] b = new float[10];
    b[7] = Float.NaN;
    new SafetensorsWriter()
        .add(M + "q.lora_A.weight", Shape.of(2, 3), new float[6])
        .add(M + "q.lora_B.weight", Shape.of(5, 2), b)
        .write(folder.resolve("adapter_model.safetensors"));
    PeftAdapter adapter = PeftAdapter.open(config(""));

    assertThatThrownBy(adapter::requireFinite)
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("q.lora_B.weight\" [5, 2] holds NaN or infinity, first at element 7");
    PeftAdapter.open(golden("llama-ts-plain")).requireFinite();
  }

  @Test
  void readsPlainPairsByPattern() {
    PeftAdapter adapter = PeftAdapter.open(golden("llama-ts-pattern"));

    assertThat(adapter.targets()).hasSize(14).allMatch(LoraPair.class::isInstance);
    LoraPair q = pair(adapter, "model.layers.0.self_attn.q_proj");
    assertThat(q.kind()).isEqualTo(Kind.LINEAR_OR_CONV);
    assertThat(q.rank()).isEqualTo(8);
    assertThat(q.scale()).isEqualTo(1);
    assertThat(q.a().shape()).isEqualTo(Shape.of(8, 32));
    assertThat(q.magnitude()).isEmpty();
    assertThat(q.blocks()).isEqualTo(new Blocks(1, 1));
    assertThat(pair(adapter, "model.layers.1.mlp.down_proj").scale()).isEqualTo(8);
    assertThat(adapter.warnings()).isEmpty();
    assertThat(adapter.refusals()).isEmpty();
    adapter.requireFoldable();
  }

  @Test
  void readsRankStabilisedScales() {
    assertThat(
            pair(PeftAdapter.open(golden("llama-ts-rslora")), "model.layers.0.self_attn.q_proj")
                .scale())
        .isEqualTo(4);
  }

  @Test
  void readsMagnitudes() {
    PeftAdapter adapter = PeftAdapter.open(golden("gpt2-ts-dora"));

    assertThat(pair(adapter, "transformer.h.0.attn.c_attn").magnitude())
        .hasValueSatisfying(m -> assertThat(m.shape()).isEqualTo(Shape.of(96)));
    assertThat(adapter.warnings()).singleElement().asString().contains("fan_in_fan_out");
  }

  @Test
  void readsTrainedHeadsAndBiases() {
    PeftAdapter saved = PeftAdapter.open(golden("bert-dynamo-save"));
    assertThat(only(saved, Replacement.class))
        .extracting(Replacement::parameter, Replacement::origin)
        .containsExactly(
            tuple("classifier.bias", Origin.MODULES_TO_SAVE),
            tuple("classifier.weight", Origin.MODULES_TO_SAVE));

    PeftAdapter biased = PeftAdapter.open(golden("bert-ts-bias"));
    assertThat(only(biased, Replacement.class)).hasSize(13);
    assertThat(only(biased, Replacement.class))
        .filteredOn(r -> r.origin() == Origin.BIAS)
        .hasSize(11)
        .extracting(Replacement::parameter)
        .contains("bert.encoder.layer.0.attention.self.query.bias", "bert.pooler.dense.bias");
  }

  @Test
  void takesEveryBiasWithBiasAll() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"bias\": \"all\", \"modules_to_save\": [\"head\"]",
                M + "q.lora_A.weight [2,3]",
                M + "q.lora_B.weight [5,2]",
                M + "q.base_layer.bias [5]",
                M + "norm.bias [3]",
                M + "attn.base_layer.in_proj_bias [9]",
                M + "relative_attention_bias.weight [4,2]",
                M + "head.bias [2]",
                M + "head.modules_to_save.bias [2]",
                M + "head.original_module.bias [2]",
                M + "head.weight [2,3]"));

    assertThat(only(adapter, Replacement.class))
        .filteredOn(r -> r.origin() == Origin.BIAS)
        .extracting(Replacement::parameter)
        .containsExactly(
            "m.q.bias", "m.norm.bias", "m.attn.in_proj_bias", "m.relative_attention_bias.weight");
    assertThat(only(adapter, Replacement.class))
        .filteredOn(r -> r.origin() == Origin.MODULES_TO_SAVE)
        .extracting(Replacement::parameter)
        .containsExactly("m.head.bias", "m.head.weight");
    assertThat(only(adapter, BaseCopy.class))
        .extracting(BaseCopy::parameter)
        .containsExactly("m.head.bias");
    assertThat(adapter.parameterCount()).isEqualTo(6 + 10 + 5 + 3 + 9 + 8 + 2 + 6);
  }

  @Test
  void refusesASavedModuleTwiceWithDifferentValues() throws IOException {
    new SafetensorsWriter()
        .add(M + "head.bias", Shape.of(1), new float[] {1})
        .add(M + "head.modules_to_save.bias", Shape.of(1), new float[] {2})
        .write(folder.resolve("adapter_model.safetensors"));
    Path adapter = config("\"modules_to_save\": [\"head\"]");

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("both stand for \"m.head.bias\"");
  }

  @Test
  void readsEmbeddingsTheirCopiesAndTokenRows() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"trainable_token_indices\": {\"other\": [1], \"emb2\": [7, 0, 3]}",
                M + "emb.lora_embedding_A [2,11]",
                M + "emb.lora_embedding_B [5,2]",
                M + "emb.base_layer.weight [11,5]",
                M + "emb2.token_adapter.trainable_tokens_delta [3,5]",
                M + "lm_head.weight [11,5]"));

    assertThat(pair(adapter, "m.emb").kind()).isEqualTo(Kind.EMBEDDING);
    assertThat(only(adapter, BaseCopy.class))
        .extracting(BaseCopy::parameter)
        .containsExactly("m.emb.weight");
    assertThat(only(adapter, TokenRows.class))
        .singleElement()
        .satisfies(t -> {
          assertThat(t.module()).isEqualTo("m.emb2");
          assertThat(t.indices()).containsExactly(7L, 0L, 3L);
        });
    assertThat(only(adapter, Replacement.class))
        .singleElement()
        .satisfies(r -> {
          assertThat(r.parameter()).isEqualTo("m.lm_head.weight");
          assertThat(r.origin()).isEqualTo(Origin.SAVED_EMBEDDING);
        });
    assertThat(adapter.warnings()).singleElement().asString().contains("emb.base_layer.weight");
  }

  @ParameterizedTest
  @ValueSource(strings = {"[1, 2]", "[1, 1, 2]", "[1, -2, 3]", "{\"x\": [1, 2, 3]}"})
  void refusesTokenIndicesThatDoNotFit(String indices) throws IOException {
    Path adapter =
        adapter(
            "\"trainable_token_indices\": " + indices,
            M + "e.token_adapter.trainable_tokens_delta [3,5]");

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("trainable_token");
  }

  @Test
  void refusesTokenIndicesWithoutRows() throws IOException {
    Path adapter =
        adapter(
            "\"trainable_token_indices\": [1]",
            M + "q.lora_A.weight [2,3]",
            M + "q.lora_B.weight [5,2]");

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("trainable_token_indices is set, but no tensor");
  }

  @Test
  void readsConvolutionsBiasesOfBAndBlocks() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"lora_bias\": true, \"use_bdlora\":"
                    + " {\"target_modules_bd_a\": [\"o_\"], \"target_modules_bd_b\": [\"q_\"], \"nblocks\": 2}",
                M + "conv.lora_A.weight [2,3,3,3]",
                M + "conv.lora_B.weight [4,2,1,1]",
                M + "conv.lora_B.bias [4]",
                M + "o_proj.lora_A.weight [2,3]",
                M + "o_proj.lora_B.weight [4,2]",
                M + "o_proj.lora_B.bias [4]",
                M + "q_proj.lora_A.weight [2,6]",
                M + "q_proj.lora_B.weight [4,1]",
                M + "q_proj.lora_B.bias [4]"));

    assertThat(pair(adapter, "m.conv").a().shape()).isEqualTo(Shape.of(2, 3, 3, 3));
    assertThat(pair(adapter, "m.conv").biasOfB()).isPresent();
    assertThat(pair(adapter, "m.o_proj").blocks()).isEqualTo(new Blocks(2, 1));
    assertThat(pair(adapter, "m.q_proj").blocks()).isEqualTo(new Blocks(1, 2));
  }

  @Test
  void readsMultiheadAttentionWithTheScaleOfTheWhole() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"alpha_pattern\": {\"attn\": 6, \"out_proj\": 100}",
                M + "attn.lora_A.weight [2,4]",
                M + "attn.lora_B.weight [12,2]",
                M + "attn.base_layer.out_proj.lora_A.weight [2,4]",
                M + "attn.base_layer.out_proj.lora_B.weight [4,2]"));

    assertThat(pair(adapter, "m.attn").scale()).isEqualTo(3);
    assertThat(pair(adapter, "m.attn.out_proj").scale()).isEqualTo(3);
  }

  @Test
  void readsExpertParameters() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"target_modules\": [\"q\"], \"target_parameters\": [\"experts.down\", \"experts.up\"],"
                    + " \"alpha_pattern\": {\"experts.up\": 4}",
                M + "experts.lora_A.weight [6,4]",
                M + "experts.lora_B.weight [5,6]",
                M + "experts.base_layer.lora_A.weight [6,7]",
                M + "experts.base_layer.lora_B.weight [4,6]",
                M + "q.lora_A.weight [2,4]",
                M + "q.lora_B.weight [4,2]"));

    List<LoraPair> experts =
        only(adapter, LoraPair.class).stream().filter(p -> p.kind() == Kind.PARAMETER).toList();
    assertThat(experts)
        .hasSize(2)
        .allMatch(p -> p.experts() == 3 && p.rank() == 2 && p.module().equals("m.experts"));
    assertThat(experts.get(0).parameters())
        .isEqualTo(new LoraPair.Parameters(List.of("down", "up"), 0));
    assertThat(experts.get(1).parameters().depth()).isEqualTo(1);
    assertThat(pair(adapter, "m.q").kind()).isEqualTo(Kind.LINEAR_OR_CONV);
    assertThat(adapter.refusals()).isEmpty();
  }

  @Test
  void refusesExtrasAndBlocksOfTheWrongSize() throws IOException {
    Path adapter =
        adapter(
            "\"use_dora\": true, \"lora_bias\": true, \"use_bdlora\": {\"target_modules_bd_b\": [\"k\"],"
                + " \"nblocks\": 2}, \"target_parameters\": [\"experts.up\"]",
            M + "k.lora_A.weight [2,3]",
            M + "k.lora_B.weight [5,1]",
            M + "k.lora_B.bias [5]",
            M + "k.lora_magnitude_vector [5]",
            M + "q.lora_A.weight [2,3]",
            M + "q.lora_B.weight [5,2]",
            M + "q.lora_B.bias [4]",
            M + "q.lora_magnitude_vector [3]",
            M + "experts.lora_A.weight [5,3]",
            M + "experts.lora_B.weight [4,5]");

    assertThatThrownBy(() -> PeftAdapter.open(adapter))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining(
            "k.lora_B.weight\" has shape [5, 1], whose rows do not divide into the 2 blocks")
        .hasMessageContaining("q.lora_B.bias\" has shape [4], expected 5 values")
        .hasMessageContaining("q.lora_magnitude_vector\" has shape [3], expected 5 values")
        .hasMessageContaining(
            "experts.lora_A.weight\" has shape [5, 3], so 5 rows, expected a multiple of the rank 2");
  }

  @Test
  void tellsBareParameterNamesFromTargetedModules() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"target_modules\": \"all-linear\", \"target_parameters\": [\"up\"]",
                M + "experts.lora_A.weight [6,4]",
                M + "experts.lora_B.weight [5,6]",
                M + "q.lora_A.weight [2,4]",
                M + "q.lora_B.weight [4,2]"));

    assertThat(pair(adapter, "m.experts").kind()).isEqualTo(Kind.PARAMETER);
    assertThat(pair(adapter, "m.q").kind()).isEqualTo(Kind.LINEAR_OR_CONV);
  }

  @Test
  void refusesExpertsWhoseStrengthIsInDoubt() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"target_parameters\": [\"experts.down\", \"experts.up\"], \"alpha_pattern\": {\"up\": 9}",
                M + "experts.lora_A.weight [6,4]",
                M + "experts.lora_B.weight [5,6]"));

    assertThat(adapter.refusals()).singleElement().asString().contains("different rank or alpha");
  }

  @Test
  void stripsWhatWrappersAddToNames() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"modules_to_save\": [\"head\"]",
                "_orig_mod.base_model.model._fsdp_wrapped_module.m.q.lora_A.default.weight [2,3]",
                "_orig_mod.base_model.model._fsdp_wrapped_module.m.q.lora_B.default.weight [5,2]",
                "base_model.model.m.head.modules_to_save.default.weight [2,3]"));

    assertThat(adapter.targets())
        .extracting(AdapterTarget::target)
        .containsExactly("m.q", "m.head.weight");
  }

  @Test
  void opensFoldersCheckpointsAndFilesAlike() throws IOException {
    Path checkpoint = Files.createDirectory(folder.resolve("checkpoint-8"));
    for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
      Files.copy(golden("llama-ts-plain").resolve(file), checkpoint.resolve(file));
    }
    PeftAdapter byFolder = PeftAdapter.open(checkpoint);
    PeftAdapter byFile = PeftAdapter.open(checkpoint.resolve("adapter_model.safetensors"));

    assertThat(byFolder.name()).isEqualTo("checkpoint-8").isEqualTo(byFile.name());
    assertThat(byFolder.sha256()).isEqualTo(byFile.sha256());
    assertThat(byFolder.files()).hasSize(2);
    assertThat(PeftAdapter.open(checkpoint.resolve("../checkpoint-8/.")).name())
        .isEqualTo("checkpoint-8");
  }

  @Test
  void hashesWeightsThenConfiguration() throws Exception {
    Path adapter = golden("llama-ts-plain");
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    digest.update(Files.readAllBytes(adapter.resolve("adapter_model.safetensors")));
    digest.update(Files.readAllBytes(adapter.resolve("adapter_config.json")));

    assertThat(PeftAdapter.open(adapter).sha256())
        .isEqualTo(HexFormat.of().formatHex(digest.digest()));
  }

  @Test
  void opensShardedAdapters() throws IOException {
    SafetensorsBytes.write(
        folder.resolve("w-1.safetensors"), SafetensorsBytes.float32(M + "q.lora_A.weight [2,3]"));
    SafetensorsBytes.write(
        folder.resolve("w-2.safetensors"), SafetensorsBytes.float32(M + "q.lora_B.weight [5,2]"));
    Files.writeString(
        folder.resolve("adapter_model.safetensors.index.json"),
        "{\"weight_map\": {\"%1$sq.lora_A.weight\": \"w-1.safetensors\", \"%1$sq.lora_B.weight\": \"w-2.safetensors\"}}"
            .formatted(M));
    PeftAdapter adapter = PeftAdapter.open(config(""));

    assertThat(pair(adapter, "m.q").scale()).isEqualTo(2);
    assertThat(adapter.files()).hasSize(4);
    assertThat(adapter.sha256()).hasSize(64);
    SafetensorsBytes.write(folder.resolve("adapter_model.safetensors"), SafetensorsBytes.float32());
    assertThatThrownBy(() -> PeftAdapter.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("keep the one that is meant");
  }

  @Test
  void passesOnWhatTheConfigurationAloneHasToSay() throws IOException {
    PeftAdapter adapter =
        PeftAdapter.open(
            adapter(
                "\"future\": 1, \"loftq_config\": {\"loftq_bits\": 4}, \"monteclora_config\": {}",
                M + "q.lora_A.weight [2,3]",
                M + "q.lora_B.weight [5,2]"));

    assertThat(adapter.warnings())
        .hasSize(3)
        .anyMatch(w -> w.contains("[future]"))
        .anyMatch(w -> w.contains("loftq_config"))
        .anyMatch(w -> w.contains("monteclora_config"));
  }
}

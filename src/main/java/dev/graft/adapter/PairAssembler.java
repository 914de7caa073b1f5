package dev.graft.adapter;

import dev.graft.adapter.AdapterKey.Role;
import dev.graft.adapter.LoraPair.Blocks;
import dev.graft.adapter.LoraPair.Extras;
import dev.graft.adapter.LoraPair.Factors;
import dev.graft.adapter.LoraPair.Kind;
import dev.graft.adapter.LoraPair.Parameters;
import dev.graft.safetensors.SafetensorsTensor;
import dev.graft.safetensors.StrictJson;
import dev.graft.tensor.Shape;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Makes a pair of the tensors of one LoRA layer, or says what does not fit. */
final class PairAssembler {

  /** No block-diagonal factors. */
  private static final Blocks WHOLE = new Blocks(1, 1);

  private final AdapterConfig config;
  private final Findings findings;
  private final ParameterRules parameterRules;
  private final StepBudget budget;

  PairAssembler(AdapterConfig config, Findings findings, StepBudget budget) {
    this.config = config;
    this.findings = findings;
    this.budget = budget;
    this.parameterRules = new ParameterRules(config);
  }

  Optional<LoraPair> assemble(LoraSlot slot) {
    boolean embedding = slot.has(Role.EMBEDDING_A) || slot.has(Role.EMBEDDING_B);
    if (embedding && (slot.has(Role.A) || slot.has(Role.B))) {
      findings.problem(
          name(slot) + ": the module has factors of a linear layer and of an embedding");
      return Optional.empty();
    }
    Optional<SafetensorsTensor> a = factor(slot, embedding ? Role.EMBEDDING_A : Role.A, "lora_A");
    Optional<SafetensorsTensor> b = factor(slot, embedding ? Role.EMBEDDING_B : Role.B, "lora_B");
    if (a.isEmpty() || b.isEmpty()) {
      return Optional.empty();
    }
    int before = findings.problemCount();
    LoraPair pair = embedding ? embedding(slot, a.get(), b.get()) : linear(slot, a.get(), b.get());
    checkExtras(slot, pair);
    pair.tensors().forEach(this::checkType);
    return findings.problemCount() == before ? Optional.of(pair) : Optional.empty();
  }

  private Optional<SafetensorsTensor> factor(LoraSlot slot, Role role, String factorName) {
    Optional<SafetensorsTensor> tensor = slot.get(role);
    if (tensor.isEmpty()) {
      findings.problem(name(slot) + ": its partner " + factorName + " is missing");
      return tensor;
    }
    Shape shape = tensor.get().shape();
    if (shape.rank() < 2 || shape.elements() == 0) {
      findings.problem(
          describe(tensor.get())
              + ", expected a matrix (or a convolution's kernel) without empty dimension");
      return Optional.empty();
    }
    return tensor;
  }

  private LoraPair embedding(LoraSlot slot, SafetensorsTensor a, SafetensorsTensor b) {
    Scaling scaling = config.scaling(slot.key().scope().owner(), budget);
    if (a.shape().rank() != 2 || b.shape().rank() != 2) {
      findings.problem(describe(a) + " and " + describe(b) + ", expected two matrices");
    } else {
      checkRank(a, b, b.shape().dim(1));
      checkConfiguredRank(a, a.shape().dim(0), scaling);
    }
    return pair(
        slot, Kind.EMBEDDING, new Factors(a, b, extras(slot, WHOLE, ParameterRules.NONE)), scaling);
  }

  private LoraPair linear(LoraSlot slot, SafetensorsTensor a, SafetensorsTensor b) {
    String owner = slot.key().scope().owner();
    Parameters parameters = parameterRules.candidates(slot.key(), a.shape().dim(0), budget);
    if (!parameters.scalings().isEmpty()) {
      return parameter(slot, a, b, parameters);
    }
    Scaling scaling = config.scaling(owner, budget);
    BlockDiagonal diagonal = config.blockDiagonal();
    budget.spend(diagonal.steps(owner), ConfigField.USE_BDLORA);
    Blocks blocks = new Blocks(diagonal.blocksOfA(owner), diagonal.blocksOfB(owner));
    checkKernel(a, b);
    if (a.shape().rank() > 2 && isGrouped(a, b)) {
      findings.refuse(
          "module '"
              + slot.key().module()
              + "' is a grouped convolution ("
              + a.shape().dim(0) / b.shape().dim(1)
              + " groups by its lora_B), which PEFT cannot merge either; serve it as an active adapter");
    } else {
      checkRank(a, b, b.shape().dim(1) * blocks.ofB());
    }
    checkBlocks(a, blocks.ofA());
    checkBlocks(b, blocks.ofB());
    checkConfiguredRank(a, a.shape().dim(0), scaling);
    return pair(
        slot, Kind.LINEAR_OR_CONV, new Factors(a, b, extras(slot, blocks, parameters)), scaling);
  }

  private LoraPair parameter(
      LoraSlot slot, SafetensorsTensor a, SafetensorsTensor b, Parameters parameters) {
    if (a.shape().rank() != 2 || b.shape().rank() != 2) {
      findings.problem(describe(a) + " and " + describe(b) + ", expected two matrices");
    } else {
      checkRank(a, b, b.shape().dim(1));
    }
    long rows = a.shape().dim(0);
    List<Scaling> scalings =
        parameters.candidates().stream()
            .map(name -> Objects.requireNonNull(parameters.scalings().get(name)))
            .toList();
    Scaling scaling =
        scalings.stream().filter(s -> rows % s.rank() == 0).findFirst().orElse(scalings.getFirst());
    if (rows % scaling.rank() != 0) {
      findings.problem(
          describe(a)
              + ", so "
              + rows
              + " rows, expected a multiple of the rank "
              + scaling.rank()
              + " that adapter_config.json gives (one block of rows for each expert)");
    }
    return pair(slot, Kind.PARAMETER, new Factors(a, b, extras(slot, WHOLE, parameters)), scaling);
  }

  private LoraPair pair(LoraSlot slot, Kind kind, Factors factors, Scaling scaling) {
    return new LoraPair(slot.key().module(), kind, factors, scaling);
  }

  private static Extras extras(LoraSlot slot, Blocks blocks, Parameters parameters) {
    return new Extras(
        slot.get(Role.MAGNITUDE).orElse(null),
        slot.get(Role.BIAS_OF_B).orElse(null),
        blocks,
        parameters);
  }

  private void checkKernel(SafetensorsTensor a, SafetensorsTensor b) {
    boolean pointwise = a.shape().rank() == b.shape().rank();
    for (int i = 2; pointwise && i < b.shape().rank(); i++) {
      pointwise = b.shape().dim(i) == 1;
    }
    if (!pointwise) {
      findings.problem(
          describe(a)
              + ", but "
              + describe(b)
              + "; expected B of the same rank, its kernel 1 everywhere");
    }
  }

  private static boolean isGrouped(SafetensorsTensor a, SafetensorsTensor b) {
    return a.shape().dim(0) > b.shape().dim(1) && a.shape().dim(0) % b.shape().dim(1) == 0;
  }

  private void checkRank(SafetensorsTensor a, SafetensorsTensor b, long rankOfB) {
    if (a.shape().dim(0) != rankOfB) {
      findings.problem(
          describe(a)
              + ", so rank "
              + a.shape().dim(0)
              + ", but "
              + describe(b)
              + ", so rank "
              + rankOfB
              + "; the two do not belong together");
    }
  }

  private void checkBlocks(SafetensorsTensor tensor, int blocks) {
    if (tensor.shape().dim(0) % blocks != 0) {
      findings.problem(
          describe(tensor)
              + ", whose rows do not divide into the "
              + blocks
              + " blocks of use_bdlora");
    }
  }

  private void checkConfiguredRank(SafetensorsTensor a, long rank, Scaling scaling) {
    if (rank != scaling.rank()) {
      findings.problem(
          describe(a)
              + ", so rank "
              + rank
              + ", but adapter_config.json gives this module rank "
              + scaling.rank()
              + " (r or rank_pattern); the configuration belongs to another adapter or was edited");
    }
  }

  private void checkExtras(LoraSlot slot, LoraPair pair) {
    long outputs = pair.b().shape().dim(0);
    if (slot.has(Role.MAGNITUDE) != config.useDora()) {
      contradiction(slot, "use_dora is " + config.useDora(), Role.MAGNITUDE);
    }
    if (pair.kind() == Kind.LINEAR_OR_CONV && slot.has(Role.BIAS_OF_B) != config.loraBias()) {
      contradiction(slot, "lora_bias is " + config.loraBias(), Role.BIAS_OF_B);
    }
    pair.magnitude().ifPresent(m -> checkCount(m, outputs));
    pair.biasOfB().ifPresent(bias -> checkCount(bias, outputs));
  }

  private void contradiction(LoraSlot slot, String setting, Role role) {
    // What is refused anyway need not be whole; its refusal says more than its parts would.
    if (!findings.isRefused()) {
      String part = role == Role.MAGNITUDE ? "lora_magnitude_vector" : "lora_B.bias";
      findings.problem(
          name(slot)
              + ": "
              + setting
              + ", but the module has "
              + (slot.has(role) ? "a " : "no ")
              + part);
    }
  }

  private void checkCount(SafetensorsTensor tensor, long outputs) {
    if (tensor.shape().elements() != outputs) {
      findings.problem(
          describe(tensor) + ", expected " + outputs + " values, one for each output of lora_B");
    }
  }

  private void checkType(SafetensorsTensor tensor) {
    if (!tensor.dtype().isFoldable()) {
      findings.refuse(
          describe(tensor)
              + " "
              + tensor.dtype().safetensorsName()
              + "; save the adapter as F32, F16 or BF16");
    }
  }

  private static String name(LoraSlot slot) {
    return "tensor " + StrictJson.excerpt(slot.anyName());
  }

  static String describe(SafetensorsTensor tensor) {
    return "tensor " + StrictJson.excerpt(tensor.name()) + " has shape " + tensor.shape();
  }
}

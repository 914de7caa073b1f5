package dev.graft.adapter;

import dev.graft.safetensors.StrictJson;
import java.util.Set;

/** What to say about adapters of PEFT that are no LoRA. */
final class OtherPeftTypes {

  // Those whose effect is a change of weight that PEFT itself can rewrite as LoRA.
  private static final Set<String> CONVERTIBLE =
      Set.of(
          "C3A",
          "DELORA",
          "FOURIERFT",
          "GRALORA",
          "HIRA",
          "LOHA",
          "LOKR",
          "MISS",
          "PSOFT",
          "RANDLORA",
          "SHIRA",
          "TINYLORA",
          "UNILORA",
          "VBLORA",
          "VERA",
          "WAVEFT");
  private static final Set<String> INPUTS =
      Set.of(
          "PROMPT_TUNING",
          "MULTITASK_PROMPT_TUNING",
          "P_TUNING",
          "PREFIX_TUNING",
          "CPT",
          "CARTRIDGE",
          "ADAPTION_PROMPT");
  private static final Set<String> OTHERS =
      Set.of(
          "ADALORA",
          "ADAMSS",
          "BEFT",
          "BOFT",
          "DEFT",
          "FROD",
          "GLORA",
          "HRA",
          "IA3",
          "LILY",
          "LN_TUNING",
          "OFT",
          "OSF",
          "PEANUT",
          "POLY",
          "PVERA",
          "ROAD",
          "SHADOW",
          "SUPERTUNING",
          "TRAINABLE_TOKENS",
          "XLORA");

  private OtherPeftTypes() {}

  static String refusal(String type) {
    String start = "peft_type is " + StrictJson.excerpt(type) + ", but Graft reads LORA only; ";
    if (CONVERTIBLE.contains(type)) {
      return start
          + "PEFT can rewrite it: peft.save_as_lora(folder, model, rank=R), or peft.convert_to_lora(model, rank=R) in"
          + " memory, then use the LoRA adapter that comes out";
    }
    if (INPUTS.contains(type)) {
      return start
          + "it adds inputs or tokens rather than changing weights, so there is nothing to fold";
    }
    if (OTHERS.contains(type)) {
      return start + "merge it with PEFT (merge_and_unload) and export the merged model";
    }
    return start + "this type is unknown";
  }
}

"""The base models: a table from a family's name to how its tiny base and its inputs are made."""
import dataclasses
from typing import Callable

import torch
import transformers as hf

import toys

VOCAB = 61
RESERVED = 3          # token ids below this one stay out of the inputs: pad, begin, end


@dataclasses.dataclass(frozen=True)
class Family:
    """A base model: `build` makes it, `inputs` its feeds by name, `dims` names the free dimensions of each."""
    build: Callable
    inputs: Callable
    dims: dict
    targets: list
    task: str | None = None
    output: str = "logits"
    head: tuple = ()
    embedding: str | None = None
    fan_in_fan_out: bool = False
    call: dict = dataclasses.field(default_factory=dict)


TEXT_DIMS = {"input_ids": {0: "batch", 1: "seq"}, "attention_mask": {0: "batch", 1: "seq"}}


def text_inputs():
    ids = torch.randint(RESERVED, VOCAB, (2, 9))
    mask = torch.ones_like(ids)
    mask[1, 6:] = 0
    return {"input_ids": ids, "attention_mask": mask}


def seq2seq_inputs():
    return text_inputs() | {"decoder_input_ids": torch.randint(RESERVED, VOCAB, (2, 5))}


def transformer(cls, config, **fields):
    """A maker for a transformers model with random weights and plain (eager) attention."""
    def build():
        return cls(config(**({"vocab_size": VOCAB, "attn_implementation": "eager"} | fields)))
    return build


def decoder(cls, config, **fields):
    small = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=4,
                 num_key_value_heads=2, max_position_embeddings=32, pad_token_id=0, bos_token_id=1,
                 eos_token_id=2, tie_word_embeddings=False)
    return transformer(cls, config, **(small | fields))


def encoder(cls, config, **fields):
    small = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=4,
                 max_position_embeddings=32, pad_token_id=0, num_labels=3)
    return transformer(cls, config, **(small | fields))


def text(build, targets, task, **fields):
    call = {"use_cache": False} if task == "CAUSAL_LM" else {}
    return Family(build, text_inputs, TEXT_DIMS, targets, task, call=call, **fields)


def dense(build, targets, name, shape, **fields):
    """A toy whose only input is a tensor of floats, free in its batch alone."""
    return Family(build, lambda: {name: torch.randn(shape)}, {name: {0: "batch"}}, targets, **fields)


def gpt2(**fields):
    return transformer(hf.GPT2LMHeadModel, hf.GPT2Config, n_embd=16, n_layer=1, n_head=4, n_positions=32,
                       bos_token_id=1, eos_token_id=2, **fields)


def seq2seq(encoder_layers):
    build = transformer(hf.T5ForConditionalGeneration, hf.T5Config, d_model=16, d_kv=4, d_ff=24,
                        num_layers=encoder_layers, num_decoder_layers=1, num_heads=4,
                        relative_attention_num_buckets=8, relative_attention_max_distance=16,
                        decoder_start_token_id=0, pad_token_id=0, eos_token_id=1)
    return Family(build, seq2seq_inputs, TEXT_DIMS | {"decoder_input_ids": {0: "batch", 1: "target_seq"}},
                  ["q", "k", "v", "o", "wi", "wo"], "SEQ_2_SEQ_LM", call={"use_cache": False})


LLAMA = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
BERT = ["query", "key", "value", "dense"]
GPT2 = ["c_attn", "c_proj", "c_fc"]

FAMILIES = {
    "albert": text(encoder(hf.AlbertForSequenceClassification, hf.AlbertConfig, embedding_size=8, num_hidden_layers=2),
                   ["query", "key", "value", "dense", "ffn", "ffn_output", "embedding_hidden_mapping_in"], "SEQ_CLS"),
    "bert": text(encoder(hf.BertForSequenceClassification, hf.BertConfig), BERT, "SEQ_CLS",
                 head=("classifier",), embedding="word_embeddings"),
    "bert-2layer": text(encoder(hf.BertForSequenceClassification, hf.BertConfig, num_hidden_layers=2), BERT, "SEQ_CLS",
                        embedding="word_embeddings"),
    "bert-2label": text(encoder(hf.BertForSequenceClassification, hf.BertConfig, num_labels=2), BERT, "SEQ_CLS",
                        head=("classifier",)),
    "deberta-v3": text(encoder(hf.DebertaV2ForSequenceClassification, hf.DebertaV2Config, num_hidden_layers=2,
                               relative_attention=True, position_buckets=8, norm_rel_ebd="layer_norm",
                               share_att_key=True, pos_att_type=["p2c", "c2p"], type_vocab_size=0,
                               position_biased_input=False, max_relative_positions=-1),
                       ["query_proj", "key_proj", "value_proj", "dense"], "SEQ_CLS"),
    "distilbert": text(transformer(hf.DistilBertForSequenceClassification, hf.DistilBertConfig, dim=16, hidden_dim=24,
                                   n_layers=2, n_heads=4, max_position_embeddings=32, pad_token_id=0, num_labels=3),
                       ["q_lin", "k_lin", "v_lin", "out_lin", "lin1", "lin2"], "SEQ_CLS"),
    "gemma2": text(decoder(hf.Gemma2ForCausalLM, hf.Gemma2Config, num_hidden_layers=2, head_dim=8, sliding_window=4,
                           query_pre_attn_scalar=8, tie_word_embeddings=True), LLAMA, "CAUSAL_LM"),
    "gpt2": text(gpt2(), GPT2, "CAUSAL_LM", embedding="wte", fan_in_fan_out=True),
    "gpt2-untied": text(gpt2(tie_word_embeddings=False), GPT2, "CAUSAL_LM", embedding="wte", fan_in_fan_out=True),
    "llama": text(decoder(hf.LlamaForCausalLM, hf.LlamaConfig), LLAMA, "CAUSAL_LM", embedding="embed_tokens"),
    "llama-3layer": text(decoder(hf.LlamaForCausalLM, hf.LlamaConfig, num_hidden_layers=3), LLAMA, "CAUSAL_LM"),
    "llama-tied": text(decoder(hf.LlamaForCausalLM, hf.LlamaConfig, tie_word_embeddings=True), LLAMA, "CAUSAL_LM",
                       embedding="embed_tokens"),
    "mistral": text(decoder(hf.MistralForCausalLM, hf.MistralConfig, num_hidden_layers=2, sliding_window=4),
                    LLAMA, "CAUSAL_LM"),
    "mixtral": text(decoder(hf.MixtralForCausalLM, hf.MixtralConfig, num_local_experts=3, num_experts_per_tok=2,
                            experts_implementation="batched_mm"), ["q_proj", "v_proj"], "CAUSAL_LM"),
    "gpt-oss": text(decoder(hf.GptOssForCausalLM, hf.GptOssConfig, num_local_experts=3, num_experts_per_tok=2,
                            head_dim=4, sliding_window=4, experts_implementation="batched_mm"),
                    ["q_proj", "v_proj"], "CAUSAL_LM"),
    "phi3": text(decoder(hf.Phi3ForCausalLM, hf.Phi3Config, num_hidden_layers=2, sliding_window=None),
                 ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"], "CAUSAL_LM"),
    "phi3-head16": text(decoder(hf.Phi3ForCausalLM, hf.Phi3Config, hidden_size=32, num_attention_heads=2, num_key_value_heads=1,
                               sliding_window=None, original_max_position_embeddings=32),
                       ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"], "CAUSAL_LM"),
    "qwen2-head16": text(decoder(hf.Qwen2ForCausalLM, hf.Qwen2Config, hidden_size=32, num_attention_heads=2, num_key_value_heads=1),
                        LLAMA, "CAUSAL_LM"),
    "qwen2": text(decoder(hf.Qwen2ForCausalLM, hf.Qwen2Config, num_hidden_layers=2), LLAMA, "CAUSAL_LM"),
    "roberta": text(encoder(hf.RobertaForSequenceClassification, hf.RobertaConfig, num_hidden_layers=2,
                            max_position_embeddings=40, pad_token_id=1), BERT, "SEQ_CLS", head=("classifier",)),
    "t5": seq2seq(1),
    "t5-2layer": seq2seq(2),
    "vit": dense(transformer(hf.ViTForImageClassification, hf.ViTConfig, hidden_size=16, intermediate_size=24,
                             num_hidden_layers=2, num_attention_heads=4, image_size=16, patch_size=8, num_labels=3),
                 ["q_proj", "k_proj", "v_proj", "o_proj", "fc1", "fc2"], "pixel_values", (2, 3, 16, 16),
                 head=("classifier",)),
    "attending": dense(toys.Attending, ["self_attn", "embed"], "features", (2, 7, 10), output="scores"),
    "conv1d": dense(toys.ConvText, ["front", "point", "head"], "samples", (2, 4, 20), output="scores"),
    "conv2d": dense(toys.ConvImage, ["stem", "point", "wide", "head"], "pixels", (2, 3, 9, 9), output="scores"),
    "conv3d": dense(toys.ConvVolume, ["stem", "head"], "volume", (2, 2, 4, 5, 5), output="scores"),
    "experts": dense(lambda: toys.Mixture(False), ["router"], "features", (4, 12), output="scores"),
    "experts-inout": dense(lambda: toys.Mixture(True), ["router"], "features", (4, 12), output="scores"),
}

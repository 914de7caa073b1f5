#!/usr/bin/env python3
"""Makes the rows that `graft train` reads of text, and scores a model on such rows.

usage: tools/tokenise.py rows TOKENIZER TEXT.jsonl ROWS.jsonl --task causal-lm|seq-cls [--max-length N]
       tools/tokenise.py score MODEL.onnx ROWS.jsonl [--rows N] [--batch N]
needs: pip install transformers        (score: onnxruntime numpy)

TOKENIZER is a folder or a name as transformers takes it. A line of TEXT is one of
  {"text": ..., "label": 1}                               seq-cls
  {"text": ...}                                           causal-lm, every token is a label
  {"instruction": ..., "input": ..., "output": ...}       causal-lm, the output's tokens are labels
  {"messages": [{"role": ..., "content": ...}, ...]}      causal-lm, by the tokenizer's chat template;
                                                          what the assistant says last is labelled
Rows that are cut to --max-length keep their front. `score` prints the mean loss and, for seq-cls, the
accuracy of a model with the inputs input_ids and attention_mask and the output logits.
"""
import argparse, json, sys


def pair(tokenizer, prompt, answer, limit):
    """A row whose prompt has no labels."""
    front = tokenizer(prompt).input_ids
    back = tokenizer(answer, add_special_tokens=False).input_ids
    if tokenizer.eos_token_id is not None:
        back = back + [tokenizer.eos_token_id]
    ids = (front + back)[:limit]
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": ([-100] * len(front) + back)[:limit]}


def causal_row(tokenizer, line, limit):
    if "messages" in line:
        said = line["messages"]
        if not said or said[-1]["role"] != "assistant":
            raise ValueError("the last message is not the assistant's")
        ids = tokenizer.apply_chat_template(said, tokenize=True, return_dict=False)
        front = tokenizer.apply_chat_template(said[:-1], tokenize=True, return_dict=False, add_generation_prompt=True)
        if ids[: len(front)] != front:
            raise ValueError("the chat template does not begin a conversation the way it goes on")
        ids = ids[:limit]
        labels = ([-100] * len(front) + ids[len(front):])[: len(ids)]
        return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels}
    if "instruction" in line:
        prompt = line["instruction"] + ("\n" + line["input"] if line.get("input") else "") + "\n"
        return pair(tokenizer, prompt, line["output"], limit)
    ids = tokenizer(line["text"]).input_ids[:limit]
    return {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": ids}


def label_row(tokenizer, line, limit):
    made = tokenizer(line["text"], truncation=True, max_length=limit)
    return {name: made[name] for name in ("input_ids", "attention_mask", "token_type_ids") if name in made} | {"label": line["label"]}


def rows(a):
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(a.tokenizer)
    make = causal_row if a.task == "causal-lm" else label_row
    with open(a.text, encoding="utf-8") as lines, open(a.out, "w", encoding="utf-8") as out:
        for number, line in enumerate(lines, 1):
            if line.strip():
                try:
                    out.write(json.dumps(make(tokenizer, json.loads(line), a.max_length)) + "\n")
                except (KeyError, ValueError) as e:
                    sys.exit(f"{a.text} line {number}: cannot be made a row: {e!r}")


def padded(batch, name, fill):
    import numpy as np

    length = max(len(row["input_ids"]) for row in batch)
    return np.array([row[name] + [fill] * (length - len(row[name])) for row in batch], dtype=np.int64)


def log_softmax(x):
    import numpy as np

    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def score(a):
    import numpy as np, onnxruntime

    session = onnxruntime.InferenceSession(a.model, providers=["CPUExecutionProvider"])
    wanted = {i.name for i in session.get_inputs()}
    with open(a.rows_file, encoding="utf-8") as lines:
        data = [json.loads(line) for line in lines if line.strip()][: a.rows]
    loss = right = labels = 0
    for at in range(0, len(data), a.batch):
        batch = data[at : at + a.batch]
        feed = {"input_ids": padded(batch, "input_ids", 0), "attention_mask": padded(batch, "attention_mask", 0)}
        if "token_type_ids" in wanted:
            feed["token_type_ids"] = padded(batch, "token_type_ids", 0) if "token_type_ids" in batch[0] else np.zeros_like(feed["input_ids"])
        logits = log_softmax(session.run(["logits"], feed)[0].astype(np.float64))
        if "label" in batch[0]:
            expected = np.array([row["label"] for row in batch])
            loss -= logits[np.arange(len(batch)), expected].sum()
            right += int((logits.argmax(-1) == expected).sum())
            labels += len(batch)
        else:
            expected = padded(batch, "labels", -100)[:, 1:]
            keep = expected != -100
            picked = np.take_along_axis(logits[:, :-1], np.where(keep, expected, 0)[..., None], -1)[..., 0]
            loss -= picked[keep].sum()
            labels += int(keep.sum())
    print(json.dumps({"rows": len(data), "loss": loss / labels} | ({"accuracy": right / labels} if "label" in data[0] else {})))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True)
    make = verbs.add_parser("rows")
    make.add_argument("tokenizer"), make.add_argument("text"), make.add_argument("out")
    make.add_argument("--task", choices=["causal-lm", "seq-cls"], required=True)
    make.add_argument("--max-length", type=int, default=512)
    make.set_defaults(run=rows)
    rate = verbs.add_parser("score")
    rate.add_argument("model"), rate.add_argument("rows_file", metavar="rows")
    rate.add_argument("--rows", type=int, default=None), rate.add_argument("--batch", type=int, default=32)
    rate.set_defaults(run=score)
    a = parser.parse_args()
    a.run(a)


if __name__ == "__main__":
    main()

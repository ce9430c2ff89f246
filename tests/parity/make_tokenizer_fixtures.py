"""Writes tests/fixtures/text/: small tokenizers, and the ids that transformers gives a multilingual corpus with them.

Needs transformers 5.23 and sentencepiece. Run from anywhere: python tests/parity/make_tokenizer_fixtures.py

tokenizer_bytes     like UMT5's: start and unknown marks, byte pieces, nmt_nfkc, 300 sentinels
tokenizer_plain     like T5's without a normaliser: 100 sentinels, some with flags that take white space along
The demo model's tokenizer (jobs/demo/wan-shapes/tokenizer) is the third.
"""

import json
import pathlib
import random
import shutil
import tempfile

import sentencepiece
import transformers
from transformers import T5TokenizerFast

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests" / "fixtures" / "text"
DEMO = ROOT / "jobs" / "demo" / "wan-shapes" / "tokenizer"
MAX_LENGTH = 512

SENTENCES = [
    "The quick brown fox jumps over the lazy dog.", "A cat walks on the beach at sunset, realistic style, 4k", "Ein Mädchen läuft über die Straße",
    "Voilà, un été à la plage; l'océan est calme", "El perro duerme en el sofá de la abuela", "Um menino joga futebol na praia",
    "Il gatto nero guarda la luna", "De hond rent door het park", "Žluťoučký kůň úpěl ďábelské ódy", "Zażółć gęślą jaźń", "Kedi sahilde yürüyor, güneş batıyor",
    "Một con mèo đi dạo trên bãi biển", "一只猫在海滩上行走，夕阳西下", "一隻貓在沙灘上散步。", "夕日の海岸を歩く猫、カメラは固定", "고양이가 해변을 걷는다",
    "Кошка идёт по берегу моря на закате", "Кіт іде берегом моря", "قطة تمشي على الشاطئ عند الغروب", "گربه‌ای در ساحل راه می‌رود", "חתול הולך על החוף",
    "γάτα στην παραλία το ηλιοβασίλεμα", "แมวเดินบนชายหาดยามพระอาทิตย์ตก กำลังเล่น น้ำ", "बिल्ली समुद्र तट पर चल रही है", "একটি বিড়াল সৈকতে হাঁটছে", "பூனை கடற்கரையில் நடக்கிறது",
    "კატა სანაპიროზე დადის", "Կատուն քայլում է լողափով", "ድመት በባህር ዳርቻ ላይ", "a red ball moving left on a black background", "two blue squares moving down on white",
]
HAND = [
    "", " ", "\n", "\t \u3000", "a", "▁", "▁a▁▁b▁", "a  b\n\nc\td", "  lead and trail  ", "<extra_id_0>", "a<extra_id_0>b", "a <extra_id_1> b",
    "<extra_id_99><extra_id_100> <extra_id_299>", "<extra_id_300>", "<extra_id_", "x <extra_id_2>\u3000y", "<extra_id_3> <extra_id_4>word", "x<extra_id_4> .",
    "</s>", "one </s> two </s>", "<pad><pad>", "<unk> and <s>", "＜pad＞ ＜/s＞", "<0x41> <0x00>", "<mask>", "☃", "☃☃x☃", "☃ ☃", "a☃b", "\U0001f600\U0001f389",
    "👩‍👩‍👧 ❤️ 🇩🇪 1️⃣ #⃣ 🏴󠁧󠁢󠁷󠁬󠁳󠁿", "½ ² ① ㎏ ™ … ﬁ ﷺ", "ＦＵＬＬ　ｗｉｄｔｈ ｶﾞ ｱ", "e\u0301 x\u0304 ﬁ\u0301 \u1112\u1161\u11ab", "zero\u200bwidth\u200djoin\u2060er \ufeff", "nb\u00a0sp \u2009thin \u2028line \x85next",
    "\x00\x07\x1c controls \x7f", "soft\u00adhyphen \u200eleft\u200f", "don't \"quote\" (x) [y] {z} a/b a\\b a_b a-b #1 @x $5 50% ^~`|", "1234567890 3.14 1,000,000", "ALL CAPS MiXeD",
    "a" * 300, "猫" * 700, "word " * 600, "☃ " * 600, "The cat <extra_id_5> " * 200,
]


def corpus():
    random_source = random.Random(7)
    texts = HAND + SENTENCES
    bits = ["<extra_id_0>", " <extra_id_1> ", "<extra_id_3>", "</s>", "▁", "\n", "\u3000", "\u200b", "☃", "  ", "<", "😀", "\u0301", "ﬁ"]
    while len(texts) < 240:
        text = list(" ".join(random_source.sample(SENTENCES, random_source.choice([1, 1, 2, 3]))))
        for _ in range(random_source.choice([0, 1, 2, 4])):
            text.insert(random_source.randint(0, len(text)), random_source.choice(bits))
        start = random_source.randint(0, len(text) // 2)
        texts.append("".join(text[start : start + random_source.randint(5, 120)]))
    return list(dict.fromkeys(texts))


def train(folder, **options):
    prefix = str(folder / "spiece")
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 8), model_prefix=prefix, hard_vocab_limit=False, minloglevel=2, num_threads=1, pad_id=0, eos_id=1, **options
    )
    (folder / "spiece.vocab").unlink()


def decoder_entry(content, **flags):
    base = {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    return {**base, **flags}


def write_bytes(folder):
    train(folder, vocab_size=900, byte_fallback=True, normalization_rule_name="nmt_nfkc", character_coverage=0.995, bos_id=2, unk_id=3)
    sentinels = [f"<extra_id_{i}>" for i in range(300)]
    pieces = sentencepiece.SentencePieceProcessor(str(folder / "spiece.model")).get_piece_size()
    decoder = {str(i): decoder_entry(c) for i, c in enumerate(["<pad>", "</s>", "<s>", "<unk>"])}
    decoder |= {str(pieces + 299 - i): decoder_entry(token) for i, token in enumerate(sentinels)}
    return {"added_tokens_decoder": decoder, "additional_special_tokens": sentinels, "bos_token": "<s>", "eos_token": "</s>", "extra_ids": 300,
            "extra_special_tokens": {}, "pad_token": "<pad>", "tokenizer_class": "T5Tokenizer", "unk_token": "<unk>"}


def write_plain(folder):
    train(folder, vocab_size=500, normalization_rule_name="identity", character_coverage=0.98, bos_id=-1, unk_id=2)
    pieces = sentencepiece.SentencePieceProcessor(str(folder / "spiece.model")).get_piece_size()
    flags = {1: {"lstrip": True}, 2: {"rstrip": True}, 3: {"lstrip": True, "rstrip": True}, 4: {"single_word": True}}
    decoder = {str(i): decoder_entry(c) for i, c in enumerate(["<pad>", "</s>", "<unk>"])}
    decoder |= {str(pieces + 99 - i): decoder_entry(f"<extra_id_{i}>", **more) for i, more in flags.items()}
    return {"added_tokens_decoder": decoder, "eos_token": "</s>", "extra_ids": 100, "pad_token": "<pad>", "tokenizer_class": "T5Tokenizer",
            "unk_token": "<unk>"}


def golden(folder):
    tokenizer = T5TokenizerFast.from_pretrained(folder)
    cases = []
    for text in corpus():
        out = tokenizer(text, padding="max_length", max_length=MAX_LENGTH, truncation=True, add_special_tokens=True)
        length = sum(out.attention_mask)
        assert out.attention_mask == [1] * length + [0] * (MAX_LENGTH - length) and set(out.input_ids[length:]) <= {tokenizer.pad_token_id}
        cases.append({"text": text, "ids": out.input_ids[:length]})
    return {"max_length": MAX_LENGTH, "padding": tokenizer.pad_token_id, "cases": cases}


def main():
    assert transformers.__version__.startswith("5.23."), transformers.__version__
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name, write in {"tokenizer_bytes": write_bytes, "tokenizer_plain": write_plain}.items():
            made = pathlib.Path(scratch) / name
            made.mkdir()
            (made / "tokenizer_config.json").write_text(json.dumps(write(made), indent=0) + "\n")
            shutil.rmtree(OUT / name, ignore_errors=True)
            shutil.copytree(made, OUT / name)
    for name, folder in {"tokenizer_bytes": OUT / "tokenizer_bytes", "tokenizer_plain": OUT / "tokenizer_plain", "tokenizer_demo": DEMO}.items():
        document = golden(folder)
        (OUT / f"{name}.json").write_text(json.dumps(document, separators=(",", ":")).replace('{"text"', '\n{"text"') + "\n")
        print(name, len(document["cases"]), "texts")


if __name__ == "__main__":
    main()

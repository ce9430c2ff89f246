"""Writes tests/fixtures/text/prompt_cleaning.json: prompts, and what diffusers' prompt_clean makes of them.

Needs ftfy 6.3.1. Run from anywhere: python tests/parity/make_prompt_cleaning_fixtures.py

The prompts: some chosen by hand, sentences in many languages misread through every encoding that ftfy knows (once or twice, with
lost bytes), and mixtures of those with entities, escapes and controls, from a fixed seed.
"""

import html
import html.entities
import json
import pathlib
import random
import re

import ftfy
import ftfy.bad_codecs

assert ftfy.__version__ == "6.3.1" and ftfy.bad_codecs.ok() is None
OUT = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "text" / "prompt_cleaning.json"

NEGATIVE = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留，丑陋的，残缺的，"
    "多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，静止不动的画面，杂乱的背景，三条腿，背景人很多，倒着走"
)
SENTENCES = [
    "A cat walks on the grass, realistic style.", "Voilà, l'été à la plage — déjà vu", "Größe: 5 µm ± 2°, Straße über Brücke",
    "El niño comió piñas en España ¿verdad?", NEGATIVE, "镜头晃动，" + NEGATIVE, "夕日の海岸を歩く猫、カメラは固定「静か」",
    "Кошка идёт по берегу моря, закат", "고양이가 해변을 걷는다", "قطة تمشي على الشاطئ عند الغروب", "חתול הולך על החוף",
    "γάτα στην παραλία το ηλιοβασίλεμα Ά", "Žluťoučký kůň úpěl ďábelské ódy", "Zażółć gęślą jaźń ŁÓDŹ", "Árvíztűrő tükörfúrógép",
    "İstanbul'da şık bir ağaç ığdır", "Ķekava ģimene ļoti šķiet žēl", "“Curly” ‘quotes’ … – — • ™ © ® €",
    "emoji 😀🎉👩‍👩‍👧 ❤️ 🇩🇪 1️⃣ 🏴󠁧󠁢󠁷󠁬󠁳󠁿", "ﬁn ﬂy ﬀ ﬃ ﬆ Ǆ ĳ ŉ", "ＦＵＬＬ　ｗｉｄｔｈ！ ｶﾞｷﾞ ￣ ￥ ￩", "à la carte, à quele às vezes, àquilo",
    "a\u0301 e\u0308 \u1100\u1161\u11a8 x\u0304 \u212b \u2126", "नमस्ते दुनिया สวัสดีชาวโลก tiếng Việt", "╔══╗ ║ box ░▒▓ │",
    "œuvre Œdipe cœur sœur", "50£ 20¢ ¥100 ½ ¼ ² ³ §4 ¶", "Übergrößenträger ÄÖÜ ß", "smörgåsbord på Åland", "¡Hola! ¿Qué tal? «bien»",
]
HAND = [
    "", " ", "\n\n", "\u3000", "a", "  two   spaces\tand\ttabs  ", "line\r\nbreak\rmac\u2028sep\u2029par\x85next", "AT&T &amp; R&D",
    "&lt;b&gt;bold&lt;/b&gt;", "<b>&amp;amp;</b>", "&amp;lt;", "&amp;amp;lt;", "&amp;amp;amp;lt;", "P&EACUTE;REZ &NTILDE; &nTILDE;",
    "&notit; &not &notin; this&not that", "&#65; &#x41 &#0; &#x80; &#xD800; &#x110000; &#99999999999999999999; &#59; &#;", "&#x;&;&",
    "&NotEqualTilde; &acE; &fjlig; &NewLine;x&Tab;y", "BUNDESSTRA&SZLIG;E", "first line\n&amp; then <tag>\n&amp; after", "âœ” No problems",
    "Broken text&hellip; it&#x2019;s ﬂubberiﬁc!", "\x1b[36;44mblue\x1b[0m \x1b[2K \x1b[x \x1b[;;", "nul\x00 bell\x07 vt\x0b ff\x0c del\x7f",
    "\ufeffbom \u206a\u206f \ufff9a\ufffab\ufffb \ufffc", "zero\u200bwidth\u200cnon\u200djoin\u2060er", "\u202erightleft\u202c \u200e\u200f",
    "soft\u00adhyphen nb\u00a0space thin\u2009space \u1680ogham \u205fmath \u180emongol", "\x1c\x1d\x1e\x1funit\x1cseparators", "voilÃ le travail",
    "Ã la mode", "fÃ cil", "Ã  ", "Â ", "Ã", "The Mona Lisa doesnÃƒÂ¢Ã¢â€šÂ¬Ã¢â€žÂ¢t have eyebrows.", "l’humanitÃ©", "uÌˆnicode", "Ã perturber",
    "â€œ like this â€�", "vedere Ã¨ credere", "sÃ³", "Ã³", "(ã\x83\x84)", "Ð¿ÑÐ¸Ð²ÐµÑ", "РїСЂРёРІРµС‚ РјРёСЂ", "ÐŸÑ€Ð¸Ð²ÐµÑ‚", "ä½ å¥½", "ã“ã‚“ã«ã¡ã¯", "ðŸ˜€ ðŸ˜", "ì•ˆë…•",
    "×©×œ×•×", "Ù…Ø±Ø­Ø¨Ø§", "α½¥ β€™ Ξ", "IMITÉ™", "Ôôô VIDA MINHA", "C’est qqch comme ça", "ÓÒÓ ÙÚÛ (╯°□°)╯︵ ┻━┻", "œ", "Å Å", "1×³ ×²",
    "\x80\x81\x91quoted\x92 \x93x\x94", "caf\x8e Caf\xe9", "Ã\x80\n", "\xc2\ufffd\xc0\n", "í\xa0½í¸\x80", "í\xa0½í¸\n", "\xc0\x80 â€™", "�", "??",
    "price: 5€/kg – 10%", "naïve façade coöperate", "ｱｲｳ ﾊﾟﾋﾟ ￦ ﾡ", "①②③ ㎏ ™ ℃ ﷺ", "e\u0301\u0301 \u0344 \u0958 \u2adc", "𝒥ohn ℋancock", "e=mc²",
    "\U000e0001 tag \U0001d173", "\u0378unassigned\uffff", "x" * 3000 + " â€™", ("â€™ " * 300).strip(), "a\nÃ©\nb <i>\n&eacute;\nÃ©",
]
BITS = ["\x1b[31m", "\r\n", "\r", "\n", "\t", "  ", "&#x41;", "&#65", "&#x80;", "&amp;amp;lt;", "&EACUTE;", "&notit;", "&lt;b&gt;", "<b>", "&;",
        "\ufffd", "?", "\u200e", "\u206a", "\u00a0", "\u2009", "Ã ", "Â ", "Ã", "Â", "â€™", "â€", "вЂ", "\u3000", "\x85", "\x1a"]
ENCODINGS = ["latin-1", "sloppy-windows-1252", "sloppy-windows-1251", "sloppy-windows-1250", "sloppy-windows-1253", "sloppy-windows-1254",
             "sloppy-windows-1257", "iso-8859-2", "macroman", "cp437"]


def prompt_clean(text):
    """As diffusers.pipelines.wan.pipeline_wan.prompt_clean with ftfy installed."""
    text = html.unescape(html.unescape(ftfy.fix_text(text))).strip()
    return re.sub(r"\s+", " ", text).strip()


def misread(text, encoding):
    return text.encode().decode(encoding, "replace")


def mixture(random_source):
    text = random_source.choice(SENTENCES[:4] + SENTENCES[6:])
    for _ in range(random_source.choice([0, 1, 1, 2])):
        text = misread(text, random_source.choice(ENCODINGS))
    if random_source.random() < 0.4:
        text += " " + misread(random_source.choice(SENTENCES[6:]), random_source.choice(ENCODINGS))
    if random_source.random() < 0.3:
        text += " &" + random_source.choice(sorted(html.entities.html5)) + random_source.choice(["", ";", "x"])
    characters = list(text)
    for _ in range(random_source.choice([0, 1, 2, 4])):
        characters.insert(random_source.randint(0, len(characters)), random_source.choice(BITS))
        if random_source.random() < 0.5:
            characters.pop(random_source.randrange(len(characters)))
    return "".join(characters)


def main():
    random_source = random.Random(63)
    prompts = HAND + SENTENCES + [misread(s, e) for s in SENTENCES if len(s) < 60 for e in ENCODINGS]
    prompts += [mixture(random_source) for _ in range(300)]
    prompts = list(dict.fromkeys(prompts))
    cases = [{"prompt": p, "cleaned": prompt_clean(p)} for p in prompts]
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"cases": cases}, indent=0, ensure_ascii=True) + "\n")
    print(len(cases), "prompts,", sum(c["prompt"] != c["cleaned"] for c in cases), "changed")


if __name__ == "__main__":
    main()

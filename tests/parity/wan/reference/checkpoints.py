"""Random Wan2.1 checkpoints in the diffusers layout: every parameter random, none at its default."""
import io
import random
from dataclasses import dataclass, field
from pathlib import Path

import sentencepiece
import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel
from transformers import T5Tokenizer, UMT5Config, UMT5EncoderModel

WORDS = ("a the red green blue tall small house boat river runs slowly under over two three old new light morning "
         "evening rain snow wind camera moves left right up down near far quiet busy street forest glass stone").split()


@dataclass
class Shape:
    """Configs of the parts of one checkpoint, and how it is stored."""
    name: str
    transformer: dict
    text_encoder: dict
    vae: dict
    vocabulary: int = 80            # pieces of the tokenizer
    normalisation: str = "identity"  # of the tokenizer's text; nmt_nfkc costs 240 KB on disk
    byte_fallback: bool = False
    flow_shift: float = 3.0
    storage: dict = field(default_factory=dict)  # component -> dtype on disk, float32 when not named
    max_shard_size: str = "5GB"
    latent_std: float = 1.5
    sizes: tuple = ((48, 32), (32, 64))          # width x height, multiples of 16


COMMITTED = (
    Shape(  # odd number of heads whose width is no multiple of 8
        "odd_heads",
        transformer=dict(num_attention_heads=3, attention_head_dim=20, in_channels=16, out_channels=16, text_dim=44,
                         freq_dim=32, ffn_dim=100, num_layers=2, cross_attn_norm=True, eps=1e-6, rope_max_seq_len=64),
        text_encoder=dict(vocab_size=80, d_model=44, d_kv=10, d_ff=52, num_layers=2, num_heads=3),
        vae=dict(base_dim=4, z_dim=16, dim_mult=[1, 2, 4, 4], num_res_blocks=1,
                 temperal_downsample=[False, True, True]),
        storage=dict(vae="float16"), flow_shift=3.0),
    Shape(  # no norm before the cross-attention, three levels in the VAE, its decoder of another width, other epsilons
        "three_levels",
        transformer=dict(num_attention_heads=5, attention_head_dim=16, in_channels=12, out_channels=12, text_dim=36,
                         freq_dim=48, ffn_dim=93, num_layers=3, cross_attn_norm=False, eps=1e-4, rope_max_seq_len=40),
        text_encoder=dict(vocab_size=96, d_model=36, d_kv=14, d_ff=75, num_layers=1, num_heads=5,
                          relative_attention_num_buckets=20, relative_attention_max_distance=40,
                          layer_norm_epsilon=1e-4),
        vae=dict(base_dim=6, decoder_base_dim=4, z_dim=12, dim_mult=[1, 2, 2], num_res_blocks=2,
                 temperal_downsample=[True, True], scale_factor_spatial=4),
        vocabulary=90, flow_shift=5.0, latent_std=0.7,
        storage=dict(transformer="bfloat16", text_encoder="bfloat16"), sizes=((32, 16), (16, 32))),
    Shape(  # half precision in many shards with an index, more layers in the text encoder, many narrow heads
        "sharded_half",
        transformer=dict(num_attention_heads=7, attention_head_dim=12, in_channels=16, out_channels=16, text_dim=30,
                         freq_dim=20, ffn_dim=64, num_layers=2, cross_attn_norm=True, eps=1e-5, rope_max_seq_len=1024),
        text_encoder=dict(vocab_size=333, d_model=30, d_kv=6, d_ff=41, num_layers=3, num_heads=7,
                          relative_attention_num_buckets=11, relative_attention_max_distance=25),
        vae=dict(base_dim=4, z_dim=16, dim_mult=[1, 2, 4, 4], num_res_blocks=1,
                 temperal_downsample=[True, False, True]),
        vocabulary=320, byte_fallback=True, flow_shift=8.0,
        storage=dict(transformer="float16", text_encoder="float16", vae="bfloat16"), max_shard_size="60KB"),
)


def drawn_shape(number, seed):
    """A checkpoint shape drawn from `seed`: larger than the committed ones, and unlike any of them."""
    draw = random.Random(f"{seed}/{number}")
    heads, text_dim = draw.choice((1, 2, 3, 5, 6, 7, 9, 12, 13)), 2 * draw.randint(8, 70)
    levels = draw.choice((3, 4, 4, 4))
    temporal = [True, True] + [False] * (levels - 3)
    draw.shuffle(temporal)
    multipliers = sorted(draw.choice((1, 2, 3, 4)) for _ in range(levels))
    channels = draw.choice((4, 8, 12, 16, 16, 24))
    vocabulary = draw.choice((draw.randint(80, 120), draw.randint(320, 400)))
    dtypes = ("float32", "float16", "bfloat16")
    return Shape(
        f"drawn_{seed}_{number}",
        transformer=dict(num_attention_heads=heads, attention_head_dim=draw.choice((6, 12, 14, 18, 24, 32, 40, 64, 128)),
                         patch_size=draw.choice(((1, 2, 2), (1, 2, 2), (1, 1, 1))), in_channels=channels,
                         out_channels=channels, text_dim=text_dim, freq_dim=2 * draw.randint(4, 140),
                         ffn_dim=draw.randint(20, 700), num_layers=draw.randint(1, 4), cross_attn_norm=draw.random() < 0.7,
                         eps=10 ** draw.uniform(-7, -3), rope_max_seq_len=draw.choice((64, 256, 1024))),
        text_encoder=dict(vocab_size=vocabulary + draw.choice((0, 1, 40)), d_model=text_dim, d_kv=draw.randint(3, 40),
                          d_ff=draw.randint(10, 200), num_layers=draw.randint(1, 4), num_heads=draw.randint(1, 7),
                          relative_attention_num_buckets=draw.randint(4, 40),
                          relative_attention_max_distance=draw.randint(30, 160),
                          layer_norm_epsilon=10 ** draw.uniform(-7, -3)),
        # Norms over one or two channels make even the reference's own float32 deviate by 7e-4 from its float64.
        vae=dict(base_dim=2 * draw.randint(3, 8), z_dim=channels, dim_mult=multipliers,
                 num_res_blocks=draw.randint(1, 3), temperal_downsample=temporal,
                 scale_factor_spatial=2 ** (levels - 1)),
        vocabulary=vocabulary, byte_fallback=vocabulary > 300, normalisation=draw.choice(("identity", "nmt_nfkc")),
        flow_shift=draw.choice((1.0, 3.0, 5.0, 12.0)), latent_std=draw.uniform(0.4, 3),
        storage={part: draw.choice(dtypes) for part in ("transformer", "text_encoder", "vae")},
        max_shard_size=draw.choice(("5GB", "100KB", "1MB")),
        sizes=tuple((16 * draw.randint(1, 6), 16 * draw.randint(1, 6)) for _ in range(2)))


def randomise(model, generator):
    """Gives every parameter a random value of sensible size: gains around 1, weights by their fan-in."""
    for name, parameter in sorted(model.named_parameters()):
        values = torch.randn(parameter.shape, generator=generator)
        leaf = name.rsplit(".", 1)[-1]
        if leaf == "gamma" or ("norm" in name and leaf == "weight"):
            values = 1 + 0.3 * values
        elif leaf == "bias" or "relative_attention_bias" in name or "scale_shift_table" in name:
            values = 0.3 * values
        elif "shared" not in name and "embed_tokens" not in name:
            values = values * 1.1 / parameter[0].numel() ** 0.5
        parameter.data.copy_(values)


def spread_frames(vae, generator):
    """Scales and shifts the last convolution so that frames fill -1..1, each channel around a mean of its own."""
    last = vae.decoder.conv_out
    last.weight.data *= 1e-3  # nothing is clamped while this is measured
    frames = vae.decode(torch.randn((1, vae.config.z_dim, 3, 6, 4), generator=generator)).sample
    spread = frames.std((0, 2, 3, 4))
    last.weight.data *= (0.3 / spread)[:, None, None, None, None]
    last.bias.data.copy_((last.bias - frames.mean((0, 2, 3, 4))) * 0.3 / spread
                         + 0.2 * torch.randn(last.bias.shape, generator=generator))


def make_tokenizer(shape, folder):
    """A SentencePiece unigram model of its own, and tokenizer.json made from it."""
    lines = random.Random(shape.name)
    corpus = [" ".join(lines.choice(WORDS) for _ in range(lines.randint(3, 12))) for _ in range(400)]
    corpus += [" ".join("abcdefghijklmnopqrstuvwxyz,.-0123456789é")] * 20
    folder.mkdir(parents=True)
    pieces = io.BytesIO()  # a model written to a file would hold its path
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus), model_writer=pieces, model_type="unigram", vocab_size=shape.vocabulary,
        hard_vocab_limit=False, character_coverage=1.0, num_threads=1, minloglevel=2,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, pad_piece="<pad>", eos_piece="</s>", unk_piece="<unk>",
        normalization_rule_name=shape.normalisation, byte_fallback=shape.byte_fallback)
    (folder / "spiece.model").write_bytes(pieces.getvalue())
    return T5Tokenizer.from_pretrained(folder, extra_ids=0)


def make_checkpoint(shape, folder, seed=0):
    """Writes the checkpoint of `shape` to `folder`, as WanPipeline.save_pretrained lays it out."""
    generator = torch.Generator().manual_seed(seed)
    tokenizer = make_tokenizer(shape, folder / "tokenizer")
    text_encoder = UMT5EncoderModel(UMT5Config(dropout_rate=0.0, is_encoder_decoder=False, **shape.text_encoder))
    transformer = WanTransformer3DModel(**shape.transformer)
    channels = shape.vae["z_dim"]
    vae = AutoencoderKLWan(
        **shape.vae, latents_mean=(0.5 * torch.randn(channels, generator=generator)).tolist(),
        latents_std=(shape.latent_std * (0.7 + 0.6 * torch.rand(channels, generator=generator))).tolist())
    with torch.no_grad():
        for model in (text_encoder, transformer, vae):
            randomise(model.eval(), generator)
        for block in text_encoder.encoder.block:  # its attention has no scale of its own
            block.layer[0].SelfAttention.q.weight *= shape.text_encoder["d_kv"] ** -0.5
        spread_frames(vae, generator)
    parts = dict(text_encoder=text_encoder, transformer=transformer, vae=vae)
    for name, part in parts.items():
        part.to(getattr(torch, shape.storage.get(name, "float32")))
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True,
                                        flow_shift=shape.flow_shift)
    pieces = (folder / "tokenizer/spiece.model").read_bytes()
    WanPipeline(tokenizer=tokenizer, scheduler=scheduler, **parts).save_pretrained(
        folder, max_shard_size=shape.max_shard_size)
    Path(folder / "tokenizer/spiece.model").write_bytes(pieces)

"""A random mid-size Wan2.1 checkpoint in the diffusers layout."""
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel
from transformers import T5Tokenizer, UMT5Config, UMT5EncoderModel


def randomise(model, generator):
    """Weights by their fan-in, gains around one, small biases: activations stay of order one."""
    for name, parameter in sorted(model.named_parameters()):
        values = torch.randn(parameter.shape, generator=generator)
        if name.endswith("gamma") or ("norm" in name and name.endswith("weight")):
            values = 1 + 0.1 * values
        elif name.endswith("bias") or "scale_shift_table" in name:
            values = 0.1 * values
        elif "shared" not in name and "embed_tokens" not in name:
            values = values / parameter[0].numel() ** 0.5
        parameter.data.copy_(values)


def make_checkpoint(folder, tokenizer, layers=12, heads=12, head_width=64, ffn=4480, vae_width=96):
    """Twelve layers of width 768, a small UMT5, and the VAE of the published models, or a narrower one. `tokenizer`: a
    folder with spiece.model."""
    generator = torch.Generator().manual_seed(0)
    text_encoder = UMT5EncoderModel(UMT5Config(vocab_size=512, d_model=512, d_kv=64, d_ff=1024, num_layers=8, num_heads=8,
                                               dropout_rate=0.0, is_encoder_decoder=False))
    transformer = WanTransformer3DModel(num_attention_heads=heads, attention_head_dim=head_width, ffn_dim=ffn,
                                        num_layers=layers, text_dim=512)
    vae = AutoencoderKLWan(base_dim=vae_width)
    with torch.no_grad():
        for model in (text_encoder, transformer, vae):
            randomise(model, generator)
        for block in text_encoder.encoder.block:
            block.layer[0].SelfAttention.q.weight *= 1 / 8
        vae.decoder.conv_out.weight *= 0.3
    WanPipeline(tokenizer=T5Tokenizer.from_pretrained(tokenizer), text_encoder=text_encoder, transformer=transformer,
                vae=vae, scheduler=UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True,
                                                           flow_shift=3.0)).save_pretrained(folder)
    shutil.copy(Path(tokenizer) / "spiece.model", Path(folder) / "tokenizer")

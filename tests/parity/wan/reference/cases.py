"""What diffusers and transformers compute from a checkpoint: inputs and outputs as safetensors, and a list of them."""
import copy
import json
import math

import numpy as np
import torch
from diffusers import (AutoencoderKLWan, DPMSolverMultistepScheduler, FlowMatchEulerDiscreteScheduler,
                       UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel)
from safetensors.torch import save_file
from transformers import AutoTokenizer, UMT5EncoderModel

COMPONENT_TOLERANCE = 2e-4
SAMPLER_TOLERANCE = 1e-5
JOB_TOLERANCE = 2e-3
TEXT_LENGTH = 512  # tokens that the pipeline pads a prompt to

TEXTS = (
    "the red house",
    "",
    "  A  “tall”\tboat &amp;amp; the small   river — under\u3000ﬁne ＳＮＯＷ, slowly…  ",
    "camera moves 12 up, 3 down; l&eacute;ger <b>wind</b> ☂ 雨",
    "the old stone forest " * 40,
)


class Cases:
    """Collects cases of one checkpoint in `folder`; `write` leaves the list in cases.json."""

    def __init__(self, checkpoint, folder, seed):
        self.checkpoint, self.folder, self.entries = checkpoint, folder, []
        self.generator = torch.Generator().manual_seed(seed)
        folder.mkdir(parents=True, exist_ok=True)

    def randn(self, *shape):
        return torch.randn(shape, generator=self.generator)

    def save(self, name, tensors):
        save_file({key: value.contiguous() for key, value in tensors.items()}, self.folder / name)
        return name

    def add(self, component, name, inputs, outputs, **more):
        entry = dict(kind="eval", component=component, name=f"{component}_{name}", arguments=[], **more)
        if isinstance(inputs, str):  # a file that is there
            entry["in"] = inputs
        elif inputs:
            entry["in"] = self.save(f"{entry['name']}.in.safetensors", inputs)
        entry["out"] = self.save(f"{entry['name']}.out.safetensors", outputs)
        entry.setdefault("tolerance", COMPONENT_TOLERANCE)
        if not all(map(math.isfinite, entry.get("bfloat16", {}).values())):
            del entry["bfloat16"]  # some shapes of convolution overflow in the reference
        self.entries.append(entry)
        return entry

    def write(self, versions):
        text = json.dumps(dict(made_with=versions, cases=self.entries), indent=1, ensure_ascii=False)
        (self.folder / "cases.json").write_text(text + "\n")


def deviation(found, expected):
    """Of `found` from `expected`, relative to the largest expected value: root mean square and largest."""
    scale, error = expected.abs().max(), (found.float() - expected).abs()
    return dict(rms=float(error.pow(2).mean().sqrt() / scale), max=float(error.max() / scale))


def add_tokenizer(cases):
    from diffusers.pipelines.wan.pipeline_wan import prompt_clean
    tokenizer = AutoTokenizer.from_pretrained(cases.checkpoint / "tokenizer")
    for number, text in enumerate(TEXTS):
        tokens = tokenizer([prompt_clean(text)], padding="max_length", max_length=TEXT_LENGTH, truncation=True,
                           add_special_tokens=True, return_attention_mask=True, return_tensors="pt")
        cases.add("tokenizer", str(number), {}, dict(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask),
                  text=text, tolerance=0.0)


def add_text_encoder(cases):
    model, half = (UMT5EncoderModel.from_pretrained(cases.checkpoint / "text_encoder", dtype=dtype).eval()
                   for dtype in (torch.float32, torch.bfloat16))
    for name, lengths, width in (("short", (7, 3), 9), ("long", (TEXT_LENGTH, 1), TEXT_LENGTH), ("one", (70,), 70)):
        mask = (torch.arange(width) < torch.tensor(lengths)[:, None]).long()
        ids = torch.randint(1, model.config.vocab_size, mask.shape, generator=cases.generator) * mask
        expected = model(ids, mask).last_hidden_state
        rows = mask.bool()
        cases.add("text_encoder", name, dict(input_ids=ids, attention_mask=mask), dict(last_hidden_state=expected),
                  rows="attention_mask",
                  bfloat16=deviation(half(ids, mask).last_hidden_state[rows], expected[rows]))


def padded_texts(cases, width, lengths):
    """Text embeddings whose rows beyond each length are zero, as the pipeline pads them."""
    rows = torch.arange(width) < torch.tensor(lengths)[:, None]
    return torch.where(rows[..., None], cases.randn(len(lengths), width, cases.text_dim), torch.zeros(()))


def add_transformer(cases, sizes, scale):
    folder = cases.checkpoint / "transformer"
    model, half = (WanTransformer3DModel.from_pretrained(folder, torch_dtype=dtype).eval()
                   for dtype in (torch.float32, torch.bfloat16))
    cases.text_dim = model.config.text_dim
    (width, height), (other_width, other_height) = [(w // scale, h // scale) for w, h in sizes]
    for name, frames, h, w, text, lengths, times in (
            ("1_frame", 1, other_height, other_width, 20, (20,), (999.0,)),
            ("5_frames_batch_2", 2, height, width, 33, (12, 33), (937.0, 41.0)),
            ("17_frames_batch_2", 5, height, width, TEXT_LENGTH, (17, 1), (555.0, 555.0)),
            ("no_text", 2, other_height, other_width, TEXT_LENGTH, (0,), (241.5,))):
        latent = cases.randn(len(lengths), model.config.in_channels, frames, h, w)
        context, timestep = padded_texts(cases, text, lengths), torch.tensor(times)
        context[0, 2] = 0  # a row of zeros that is no padding
        expected = model(latent, timestep, context).sample
        reduced = half(latent.bfloat16(), timestep, context.bfloat16()).sample
        cases.add("transformer", name, dict(latent=latent, timestep=timestep, context=context),
                  dict(velocity=expected), bfloat16=deviation(reduced, expected))


def add_vae(cases, sizes, scale, tiled):
    vae = AutoencoderKLWan.from_pretrained(cases.checkpoint / "vae", torch_dtype=torch.float32).eval()
    mean, std = (torch.tensor(v).view(1, -1, 1, 1, 1) for v in (vae.config.latents_mean, vae.config.latents_std))
    (width, height), (other_width, other_height) = sizes
    for name, frames, h, w, batch in (("1_frame_batch_2", 1, other_height, other_width, 2),
                                      ("5_frames", 5, height, width, 1),
                                      ("17_frames", 17, height, width, 1)):
        latent = cases.randn(batch, vae.config.z_dim, (frames - 1) // 4 + 1, h // scale, w // scale) * std + mean
        video = vae.decode(latent).sample
        frames_file = cases.add("vae_decode", name, dict(latent=latent), dict(video=video))["out"]
        cases.add("vae_encode", name, frames_file, dict(latent=vae.encode(video).latent_dist.mode()))
    if tiled:
        vae.enable_tiling()
        latent = cases.randn(1, vae.config.z_dim, 1, 272 // scale, 16 // scale) * std + mean
        video = vae.decode(latent).sample
        frames_file = cases.add("vae_decode", "tiled", dict(latent=latent), dict(video=video), tiled=True)["out"]
        cases.add("vae_encode", "tiled", frames_file, dict(latent=vae.encode(video).latent_dist.mode()), tiled=True)


def official_sigmas(steps):
    """Noise levels before the shift, as the original program spaces them: from the training table's largest to 0."""
    return np.linspace(float(np.float32(1 - 1 / 1000)), 0, steps + 1)[:-1]


def unipc(steps, shift, schedule):
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift,
                                        use_karras_sigmas=schedule == "karras")
    scheduler.set_timesteps(steps, sigmas=official_sigmas(steps) if schedule == "official" else None)
    return scheduler


def dpmpp(steps, shift, schedule):
    scheduler = DPMSolverMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift)
    scheduler.set_timesteps(steps)
    assert schedule == "diffusers"
    return scheduler


def euler(steps, shift, schedule):
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(steps)
    assert schedule == "diffusers"
    return scheduler


def add_samplers(cases):
    for make, steps, shift, schedule in ((unipc, 7, 5.0, "diffusers"), (unipc, 6, 3.0, "official"),
                                         (unipc, 9, 3.0, "karras"), (unipc, 1, 8.0, "official"),
                                         (unipc, 2, 8.0, "diffusers"), (unipc, 50, 16.0, "official"),
                                         (dpmpp, 8, 5.0, "diffusers"), (euler, 8, 3.0, "diffusers")):
        scheduler = make(steps, shift, schedule)
        sample, velocities = cases.randn(1, 2, 3, 2, 2), cases.randn(steps, 1, 2, 3, 2, 2)
        samples = [sample]
        for time, velocity in zip(scheduler.timesteps, velocities):
            samples.append(scheduler.step(velocity, time, samples[-1], return_dict=False)[0])
        entry = cases.add("sampler", f"{make.__name__}_{schedule}_{steps}", dict(noise=sample, velocity=velocities),
                          dict(samples=torch.stack(samples), timesteps=scheduler.timesteps.float(),
                               sigmas=scheduler.sigmas.float()), tolerance=SAMPLER_TOLERANCE)
        entry["arguments"] = ["--sampler", make.__name__, "--steps", str(steps), "--shift", str(shift),
                              "--sigma-schedule", schedule]


class OfficialSchedule(UniPCMultistepScheduler):
    """UniPC as the original program spaces its noise levels."""

    def set_timesteps(self, steps, device=None):
        super().set_timesteps(sigmas=official_sigmas(steps), device=device)


def generate(pipe, task, schedule):
    """Latent [C,f,h,w] and frames [F,3,H,W] in 0..1 of one task, with the noise of a CPU generator."""
    kind = OfficialSchedule if schedule == "official" else UniPCMultistepScheduler
    pipe.scheduler = kind.from_config(copy.deepcopy(dict(pipe.scheduler.config)), flow_shift=task["flow_shift"])
    settings = dict(prompt=task["prompt"], negative_prompt=task["negative_prompt"], width=task["width"],
                    height=task["height"], num_frames=task["frames"], num_inference_steps=task["steps"],
                    guidance_scale=task["guidance_scale"])
    seeded = lambda: torch.Generator().manual_seed(task["seed"])
    latent = pipe(**settings, generator=seeded(), output_type="latent").frames[0]
    frames = pipe(**settings, generator=seeded(), output_type="np").frames[0]
    return latent.float(), torch.from_numpy(frames).permute(0, 3, 1, 2)


def pipelines(checkpoint):
    """The pipeline in float32, and as it is usually run in bfloat16: the VAE in float32."""
    full = WanPipeline.from_pretrained(checkpoint, torch_dtype=torch.float32)
    half = WanPipeline.from_pretrained(checkpoint, torch_dtype=dict(default=torch.bfloat16, vae=torch.float32))
    for pipe in (full, half):
        pipe.set_progress_bar_config(disable=True)
    return full, half


def add_job(cases, name, schedule, tasks):
    """One job of several prompts; `tasks` name all that decides the pixels."""
    full, half = pipelines(cases.checkpoint)
    entry = dict(kind="job", name=name, sigma_schedule=schedule, tasks=[], tolerance=JOB_TOLERANCE)
    for task in tasks:
        keep_frames = task.pop("keep_frames", True)
        latent, frames = generate(full, task, schedule)
        other_latent, other_frames = generate(half, task, schedule)
        tensors = dict(latent=latent, **(dict(frames=frames) if keep_frames else {}))
        entry["tasks"].append(dict(
            task, out=cases.save(f"{name}_{task['id']}.out.safetensors", tensors),
            bfloat16=dict(latent=deviation(other_latent, latent), frames=deviation(other_frames, frames))))
    cases.entries.append(entry)


def small_jobs(sizes, shift):
    """The jobs of a random checkpoint: several prompts and seeds, with and without guidance, 1, 5 and 17 frames."""
    (width, height), (other_width, other_height) = sizes
    first = dict(negative_prompt="quiet rain", width=width, height=height, flow_shift=shift)
    return (("job_diffusers", "diffusers", [
                dict(first, id="a", prompt=TEXTS[2], seed=7, frames=5, steps=4, guidance_scale=5.0),
                dict(first, id="b", prompt=TEXTS[0], seed=2**63 - 1, frames=17, steps=3, guidance_scale=1.0,
                     keep_frames=False),
                dict(first, id="c", prompt=TEXTS[4], negative_prompt="", seed=0, width=other_width,
                     height=other_height, frames=1, steps=2, guidance_scale=3.5)]),
            ("job_official", "official", [
                dict(first, id="d", prompt=TEXTS[3], seed=123456789012, frames=5, steps=5, guidance_scale=2.0)]))

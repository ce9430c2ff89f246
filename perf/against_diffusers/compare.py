"""Times Reelyard against diffusers on one random mid-size Wan2.1, alternating, in one run, with the same threads.

    python perf/against_diffusers/compare.py --build BUILD --work DIR --threads 2 --json figures.json

Both sides keep their model loaded. Each round runs every component once on either side, the side that begins changing from
round to round; the medians of all rounds are compared, and so is what the two compute. --work keeps checkpoint and store for
the next run (3 GB). Needs the packages of tests/requirements.txt, and a build with -DREELYARD_PERF=ON.
"""
import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

PROMPT, NEGATIVE = "a large red circle moving left on a black background", "a small white square moving up"
WIDTH, HEIGHT, FRAMES, GUIDANCE, SHIFT, SEED = 480, 272, 17, 5.0, 3.0, 1


class Reelyard:
    """The driver program, spoken to in lines of JSON."""

    def __init__(self, options, store, dtype):
        self.process = subprocess.Popen(
            [options.build / "perf/reelyard_perf_driver", store, dtype], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env=dict(os.environ, OMP_NUM_THREADS=str(options.threads)))
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the driver ended")
        return json.loads(line)

    def __call__(self, **request):
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return self.answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Diffusers:
    """The pipeline as it is usually run: the VAE in float32 whatever the rest."""

    def __init__(self, checkpoint, dtype):
        types = dict(default=dtype, vae=torch.float32)
        self.pipe = WanPipeline.from_pretrained(checkpoint, torch_dtype=types)
        self.pipe.set_progress_bar_config(disable=True)

    def text_encoder(self):
        return self.pipe._get_t5_prompt_embeds(PROMPT, max_sequence_length=512)

    def transformer(self, latent, timestep, context):
        dtype = self.pipe.transformer.dtype
        return self.pipe.transformer(latent.to(dtype), timestep, context.to(dtype), return_dict=False)[0]

    def vae_decode(self, latent):
        return self.pipe.vae.decode(latent, return_dict=False)[0]

    def end_to_end(self, steps):
        frames = self.pipe(PROMPT, NEGATIVE, width=WIDTH, height=HEIGHT, num_frames=FRAMES, num_inference_steps=steps,
                           guidance_scale=GUIDANCE, generator=torch.Generator().manual_seed(SEED)).frames[0]
        return torch.from_numpy(frames).permute(0, 3, 1, 2)


def clocked(function, *arguments):
    """Seconds on the clock, seconds of all cores together, and the result."""
    begin, cpu_begin = time.perf_counter(), time.process_time()
    result = function(*arguments)
    return (time.perf_counter() - begin, time.process_time() - cpu_begin), result


def deviation(found, expected):
    """Root mean square of the difference, relative to the largest expected value; and the largest difference."""
    error, scale = (found.float() - expected).abs(), expected.abs().max()
    return float(error.pow(2).mean().sqrt() / scale), float(error.max() / scale)


def components(diffusers, reelyard, inputs, work, options):
    """name -> (repeats, call of diffusers, call of Reelyard); the calls give costs and result."""
    out = str(work / "out.safetensors")

    def ours(name, **request):
        def call():
            answer = reelyard(do=name, out=out, **request)
            return (answer["seconds"], answer["cpu_seconds"]), load_file(out)["result"]
        return call

    latent = {name: str(work / f"{name}.safetensors") for name in ("transformer", "vae_decode")}
    return {
        "text encoder": (options.repeats, lambda: clocked(diffusers.text_encoder), ours("text_encoder", text=PROMPT)),
        "transformer step": (options.repeats, lambda: clocked(diffusers.transformer, *inputs["transformer"]),
                             ours("transformer", **{"in": latent["transformer"]})),
        "VAE decode": (options.long_repeats, lambda: clocked(diffusers.vae_decode, *inputs["vae_decode"]),
                       ours("vae_decode", **{"in": latent["vae_decode"]})),
        f"end to end, {options.steps} steps": (
            options.long_repeats, lambda: clocked(diffusers.end_to_end, options.steps),
            ours("end_to_end", prompt=PROMPT, negative=NEGATIVE, width=WIDTH, height=HEIGHT, frames=FRAMES,
                 steps=options.steps, guidance=GUIDANCE, shift=SHIFT, seed=SEED))}


def make_inputs(work):
    """Inputs of the parts, the same for both sides and all dtypes."""
    generator = torch.Generator().manual_seed(1)
    randn = lambda *shape: torch.randn(shape, generator=generator)
    latent = randn(1, 16, (FRAMES - 1) // 4 + 1, HEIGHT // 8, WIDTH // 8)
    context = randn(1, 512, 512)
    context[:, 25:] = 0  # as the pipeline pads a text of 25 tokens
    timestep = torch.tensor([875.0])
    save_file(dict(latent=latent, timestep=timestep, context=context), work / "transformer.safetensors")
    save_file(dict(latent=latent), work / "vae_decode.safetensors")
    return dict(transformer=(latent, timestep, context), vae_decode=(latent,))


def measure(calls, only):
    """Times of both sides, alternating, and their last results."""
    figures = {}
    for name, (repeats, theirs, ours) in calls.items():
        if only and not any(word in name for word in only):
            continue
        sides = dict(diffusers=theirs, reelyard=ours)
        times, results = dict(diffusers=[], reelyard=[]), {}
        if repeats > 3:  # otherwise too long for a round that is thrown away
            theirs(), ours()
        for round_number in range(repeats):
            for side in sorted(sides, reverse=round_number % 2 == 1):
                cost, results[side] = sides[side]()
                times[side].append(cost)
        figures[name] = dict(costs=times, results=results)
        print(f"  {name}: " + ", ".join(f"{k} {['%.3f' % s for s, _ in v]}" for k, v in times.items()), flush=True)
    return figures


def summarise(figures, dtype, references):
    """Rows of the table; float32 results of diffusers become the references of what follows."""
    rows = []
    for name, figure in figures.items():
        costs, results = figure["costs"], figure.pop("results")
        if dtype == "float32":
            references[name] = results["diffusers"].float()
        errors = {}
        if name in references:
            errors = {side: deviation(result.reshape(references[name].shape), references[name])
                      for side, result in results.items()}
        wall, cpu = ({side: statistics.median(pair[i] for pair in pairs) for side, pairs in costs.items()} for i in (0, 1))
        rows.append(dict(component=name, dtype=dtype, seconds=wall, cpu_seconds=cpu, rounds=costs,
                         ratio=wall["diffusers"] / wall["reelyard"], cpu_ratio=cpu["diffusers"] / cpu["reelyard"],
                         deviation_rms_max=errors))
    return rows


def show(rows):
    print("medians; in brackets the range; ratio: diffusers / Reelyard on the clock, and of CPU time\n"
          f"{'component':22}{'dtype':9}{'diffusers s':>26}{'Reelyard s':>26}{'ratio':>7}{'CPU':>6}"
          "   deviation from diffusers float32, RMS / largest")
    for row in rows:
        cells = []
        for side, costs in row["rounds"].items():
            walls = [wall for wall, _ in costs]
            cells.append(f"{row['seconds'][side]:.3f} ({min(walls):.3f}-{max(walls):.3f})")
        errors = "; ".join(f"{side} {a:.1e} / {b:.1e}" for side, (a, b) in row["deviation_rms_max"].items())
        print(f"{row['component']:22}{row['dtype']:9}{cells[0]:>26}{cells[1]:>26}{row['ratio']:7.2f}{row['cpu_ratio']:6.2f}"
              f"   {errors}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True, help="build folder")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoint, store and tensors")
    parser.add_argument("--tokenizer", type=Path, help="folder with spiece.model (default: that of the demo model)",
                        default=Path(__file__).parents[2] / "jobs/demo/wan-shapes/tokenizer")
    parser.add_argument("--threads", type=int, default=2, help="of either side (default 2)")
    parser.add_argument("--dtypes", default="float32,bfloat16")
    parser.add_argument("--only", default="", help="components whose names hold one of these words, separated by commas")
    parser.add_argument("--repeats", type=int, default=7, help="rounds of text encoder and transformer (default 7)")
    parser.add_argument("--long-repeats", type=int, default=3, help="rounds of VAE and end to end (default 3)")
    parser.add_argument("--steps", type=int, default=4, help="denoising steps end to end (default 4)")
    parser.add_argument("--json", type=Path, help="also write all figures there")
    return parser.parse_args()


def main(options):
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    checkpoint, store = options.work / "checkpoint", options.work / "model.h5"
    options.work.mkdir(parents=True, exist_ok=True)
    if not checkpoint.exists():
        make_checkpoint(checkpoint, options.tokenizer)
    if not store.exists():
        subprocess.run([options.build / "bin/reelyard", "import", checkpoint, "-o", store], check=True)
    inputs, rows, references = make_inputs(options.work), [], {}
    only = [word for word in options.only.split(",") if word]
    for dtype in options.dtypes.split(","):
        print(f"{dtype}, {options.threads} threads", flush=True)
        diffusers = Diffusers(checkpoint, getattr(torch, dtype))
        reelyard = Reelyard(options, store, dtype)
        calls = components(diffusers, reelyard, inputs, options.work, options)
        rows += summarise(measure(calls, only), dtype, references)
        reelyard.close()
    show(rows)
    if options.json:
        figures = dict(threads=options.threads, load_average=os.getloadavg(), rows=rows)
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    arguments = parse()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)  # before torch counts the cores
    import torch
    from checkpoint import make_checkpoint
    from diffusers import WanPipeline
    from safetensors.torch import load_file, save_file
    main(arguments)

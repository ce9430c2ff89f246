"""Makes random Wan2.1 checkpoints and what diffusers and transformers compute from them.

    python make_fixtures.py --out DIR                      # the committed set
    python make_fixtures.py --out DIR --random 6 --seed 1  # other checkpoints, drawn from the seed
    python make_fixtures.py --out DIR --checkpoint NAME=CKPT  # jobs of an existing checkpoint, which stays where it is

The expected values are those of the versions in VERSIONS; others may differ. The same command gives the same checkpoints and
inputs, and outputs equal within rounding.
"""
import argparse
import shutil
from pathlib import Path

import diffusers
import torch
import transformers
from reference import cases as reference
from reference.checkpoints import COMMITTED, drawn_shape, make_checkpoint

VERSIONS = dict(torch="2.11.0", diffusers="0.42.1", transformers="5.23.0")


def check_versions():
    found = dict(torch=torch.__version__.split("+")[0], diffusers=diffusers.__version__,
                 transformers=transformers.__version__)
    if found != VERSIONS:
        raise SystemExit(f"found {found} (expected {VERSIONS})")


def make(shape, out, seed):
    folder = out / shape.name
    shutil.rmtree(folder, ignore_errors=True)
    make_checkpoint(shape, folder / "checkpoint", seed)
    found = reference.Cases(folder / "checkpoint", folder, seed + 1)
    scale = shape.vae.get("scale_factor_spatial", 8)
    reference.add_tokenizer(found)
    reference.add_text_encoder(found)
    reference.add_transformer(found, shape.sizes, scale)
    reference.add_vae(found, shape.sizes, scale, tiled=True)
    if shape is COMMITTED[0]:  # these depend on no checkpoint
        reference.add_samplers(found)
    for name, schedule, tasks in reference.small_jobs(shape.sizes, shape.flow_shift):
        reference.add_job(found, name, schedule, tasks)
    found.write(VERSIONS)
    print(f"{shape.name}: {len(found.entries)} cases", flush=True)


def make_jobs_of(name, checkpoint, out):
    folder = out / name
    shutil.rmtree(folder, ignore_errors=True)
    found = reference.Cases(checkpoint, folder, 1)
    reference.add_tokenizer(found)
    settings = dict(width=64, height=64, frames=17, steps=20, guidance_scale=4.0, flow_shift=3.0, negative_prompt="")
    reference.add_job(found, "job", "diffusers", [
        dict(settings, id="circle", prompt="a large red circle moving left on a black background", seed=0),
        dict(settings, id="square", prompt="a small yellow square moving down on a gray background", seed=11,
             keep_frames=False)])
    found.write(VERSIONS)
    print(f"{name}: {len(found.entries)} cases", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for one folder per checkpoint")
    parser.add_argument("--random", type=int, metavar="N", help="N checkpoints drawn from the seed, not the committed set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint", metavar="NAME=CKPT", help="only the jobs of an existing checkpoint")
    options = parser.parse_args()
    check_versions()
    torch.set_grad_enabled(False)
    if options.checkpoint:
        name, _, folder = options.checkpoint.partition("=")
        return make_jobs_of(name, Path(folder), options.out)
    shapes = COMMITTED if options.random is None else [drawn_shape(n, options.seed) for n in range(options.random)]
    for number, shape in enumerate(shapes):
        make(shape, options.out, 1000 * options.seed + 10 * number)


if __name__ == "__main__":
    main()

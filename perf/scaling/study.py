"""Measures what it costs that ranks share a video: a random mid-size Wan2.1 (12 layers of width 768) on the cores of one machine.

    python perf/scaling/study.py --program BUILD/bin/reelyard --work DIR

Every way has the same number of cores: one rank with --cores threads, that many ranks with one thread each, which share one video
(strong scaling) or make one each (weak scaling), and one rank with one thread. The ways alternate, round by round; medians are
printed, and the ratio to one rank with all cores. Nothing else should run. The codec is a small one, as decoding is not measured
here. Needs the packages of tests/requirements.txt; --work keeps the checkpoint and the store.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "perf" / "against_diffusers"))
MPIRUN = ["mpirun", "--oversubscribe", "--bind-to", "none"] + (["--allow-run-as-root"] if os.geteuid() == 0 else [])


def ways(cores):
    """Name, ranks, threads of each, videos, options."""
    def shared(*options):
        chosen = {f"parallel.{name}": 1 for name in ("cfg", "ring", "ulysses", "tensor")} | dict(options)
        return [f"--{key}={value}" for key, value in chosen.items()]

    yield "all cores", 1, cores, 1, []
    yield "one core", 1, 1, 1, []
    yield "own videos", cores, 1, cores, shared()
    if cores == 2:
        yield "cfg", cores, 1, 1, shared(("parallel.cfg", 2))
    for split in ("ulysses", "ring", "tensor"):
        yield split, cores, 1, 1, shared((f"parallel.{split}", cores))
    yield "ulysses, weights sharded", cores, 1, 1, shared(("parallel.ulysses", cores), ("parallel.shard_weights", "true"))
    yield "all cores, sequence batch", 1, cores, 1, ["--generate.sequence_batch=true"]


def make_store(options):
    store = options.work / "mid-size.h5"
    if not store.exists():
        from checkpoint import make_checkpoint
        make_checkpoint(options.work / "checkpoint", ROOT / "jobs/demo/wan-shapes/tokenizer", vae_width=16)
        subprocess.run([options.program, "import", options.work / "checkpoint", "-o", store, "--quiet"], check=True)
    return store


def measure(options, store, ranks, threads, videos, arguments):
    """What the run left in performance.json."""
    output = options.work / "out"
    shutil.rmtree(output, ignore_errors=True)
    prompts = options.work / "prompts.txt"
    prompts.write_text("".join(f"a cat that walks to the left, number {i}\n" for i in range(videos)))
    command = MPIRUN + ["-n", ranks, options.program, "run", f"--model.store={store}", f"--model.dtype={options.dtype}",
                        f"--prompts.file={prompts}", f"--output.dir={output}", f"--generate.size={options.size}",
                        f"--generate.frames={options.frames}", f"--generate.steps={options.steps}", "--quiet", *arguments]
    subprocess.run([str(word) for word in command], check=True, env=os.environ | {"OMP_NUM_THREADS": str(threads)})
    return json.loads((output / "performance.json").read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=Path)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--size", default="480x272")
    parser.add_argument("--frames", type=int, default=17)
    parser.add_argument("--steps", type=int, default=4)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    store = make_store(options)
    seconds = {}
    for round_number in range(options.rounds):
        for name, ranks, threads, videos, arguments in ways(options.cores):
            run = measure(options, store, ranks, threads, videos, arguments)
            seconds.setdefault((name, ranks, threads, videos), []).append(run["denoise_seconds"] / run["steps"])
            print(f"round {round_number + 1}: {name}: {seconds[name, ranks, threads, videos][-1]:.3f} s a step", flush=True)
    base = statistics.median(next(iter(seconds.values())))
    print(f"\n{options.size}, {options.frames} frames, {options.dtype}, two branches a step\n")
    print("| way | ranks x threads | s a step, median (range) | cores x time, against one rank with all cores |\n|---|---|---|---|")
    for (name, ranks, threads, videos), measured in seconds.items():
        middle = statistics.median(measured)
        ratio = middle / base * ranks * threads / options.cores / videos
        print(f"| {name} | {ranks} x {threads} | {middle:.3f} ({min(measured):.3f}-{max(measured):.3f}) | {ratio:.2f} |")


if __name__ == "__main__":
    main()

"""Measures how long it takes until a model can compute: Reelyard on 1 to 8 ranks, and the loaders that others would pick.

    python perf/creation/study.py --build BUILD --work DIR

Everything starts from a cold page cache, with as much memory touched and freed beforehand as is needed (on a virtual machine
the first use of a page may cost more than reading it); what is compared alternates, round by round. Nothing else should run.
--work keeps stores, checkpoint (together twice --size and --shared-size) and what has been measured: the same command goes on
where it was stopped. Needs the packages of tests/requirements.txt and tests/requirements-perf.txt.

Parts: "ways" is bench load on the large store in every way of loading; "strategies" is reading once against everyone reading
everything, and ranks as if each were a node, on the small store (everyone's copies must fit into memory); "loaders" is the
small one's transformer against other loaders, each process ending with all of it in its memory. At the end a JSON file with
all of it, the plot and the tables of docs/performance.md.
"""
import argparse
import json
import os
import re
import subprocess
import time
from pathlib import Path

import competitors
import cost_model
import machine
import report
from export_checkpoint import export_transformer, transformer_bytes

HERE = Path(__file__).parent
MPIRUN = ["mpirun", "--oversubscribe", "--bind-to", "none"] + (["--allow-run-as-root"] if os.geteuid() == 0 else [])
SETTINGS = ("size", "shared_size", "shard_bytes", "ranks", "processes", "repetitions", "loaders")
MODES = {"replicated": [], "tensor-parallel": ["--tensor-parallel={ranks}"], "weight-shards": ["--weight-shards={ranks}"]}


def size_of(text):
    found = re.fullmatch(r"(\d+)(MiB|GiB)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"'{text}' (expected a size such as 256MiB or 4GiB)")
    return int(found[1]) << dict(MiB=20, GiB=30)[found[2]]


class Study:
    def __init__(self, options):
        self.options, self.log = options, options.work / "measurements.jsonl"
        self.done = {}
        if self.log.exists():
            for line in self.log.read_text().splitlines():
                entry = json.loads(line)
                self.done[entry["key"]] = entry

    def once(self, key, measure):
        """Measures unless that has been done, in this run or one before."""
        if key in self.done:
            return
        load_average, begin = os.getloadavg(), time.monotonic()
        figures = measure()
        self.done[key] = dict(key=key, load_average=load_average, wall_seconds=time.monotonic() - begin, **figures)
        with open(self.log, "a") as file:
            print(json.dumps(self.done[key]), file=file)
        print(f"  {key}: {time.monotonic() - begin:.0f} s", flush=True)

    def run(self, ranks, *arguments):
        command = [*MPIRUN, "-n", str(ranks), self.options.build / "bin/reelyard", *arguments]
        result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if result.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))}:\n{result.stderr}")
        return result.stdout

    def bench(self, ranks, store, repetitions, *arguments):
        output = self.run(ranks, "bench", "load", f"--store={store}", "--json", "--quiet",
                          f"--repetitions={repetitions}", *arguments)
        figures = json.loads(output[output.index("{"):output.rindex("}") + 1])
        figures["settings"]["store"] = store.name  # where it lay says nothing to others
        return dict(figures=figures)

    def make_inputs(self):
        for name in ("size", "shared_size"):
            text = getattr(self.options, name)
            store = self.store(name)
            if not store.exists():
                print(f"making {store}", flush=True)
                subprocess.run([self.options.build / "bin/reelyard", "bench", "load", f"--store={store}", "--quiet",
                                f"--synthesize={text}", "--repetitions=1"], check=True, stdout=subprocess.DEVNULL)
        if not self.checkpoint().exists():
            print(f"making {self.checkpoint()}", flush=True)
            export_transformer(self.store("shared_size"), self.checkpoint(), self.options.shard_bytes)

    def store(self, name):
        return self.options.work / f"model-{getattr(self.options, name)}.h5"

    def checkpoint(self):
        return self.options.work / f"transformer-{self.options.shared_size}"

    def ways(self):
        """bench load in every way, which alternates with raw reads by itself."""
        store, repetitions = self.store("size"), self.options.repetitions
        for ranks in self.options.ranks:
            for mode, arguments in MODES.items():
                if ranks == 1 and mode != "replicated":
                    continue  # the same as replicated
                for transport in ("direct", "collective"):
                    words = [word.format(ranks=ranks) for word in arguments]
                    self.once(f"ways/{store.stem}/{ranks}/{mode}/{transport}",
                              lambda: self.bench(ranks, store, repetitions, f"--transport={transport}", *words))

    def strategies(self):
        store = self.store("shared_size")
        for round_number in range(self.options.repetitions):
            for ranks in self.options.ranks:
                sides = {"everyone": ["--strategy=everyone"], "direct": ["--transport=direct"],
                         "collective": ["--transport=collective"]}
                if ranks > 1:
                    sides["nodes"] = ["--transport=direct", "--ranks-per-node=1"]
                for side in self.in_turn(sides, round_number):
                    self.once(f"strategies/{store.stem}/{ranks}/{side}/{round_number}",
                              lambda: self.bench(ranks, store, 1, *sides[side]))

    def loaders(self):
        sides = ["reelyard", *self.options.loaders]
        for round_number in range(self.options.repetitions):
            for count in self.options.processes:
                for side in self.in_turn(sides, round_number):
                    self.once(f"loaders/{self.checkpoint().stem}/{count}/{side}/{round_number}",
                              lambda: self.loader(side, count))

    def loader(self, side, count):
        if side == "reelyard":
            return self.own_loader(count)
        checkpoint = self.checkpoint()
        size = transformer_bytes(self.store("shared_size"))
        return dict(figures=competitors.measure(side, checkpoint, count, size, self.options.work), transformer_bytes=size)

    def own_loader(self, count):
        """The same figures as of the others; `start` is a whole run of the program that does nothing."""
        begin = time.monotonic()
        self.run(count, "bench", "--help")
        start = time.monotonic() - begin
        figures = self.bench(count, self.store("shared_size"), 1, "--component=transformer")["figures"]
        loads = [rank["loads"][0] for rank in figures["by_rank"]]
        return dict(transformer_bytes=figures["bytes"]["used"], figures=dict(
            ready_seconds=figures["load"]["ready_seconds"]["median"], loaded_seconds=figures["load"]["seconds"]["median"],
            start_seconds=start, read_by_system=figures["bytes"]["read_by_system"], of_device=figures["bytes"]["of_device"],
            pss_bytes=figures["memory"]["proportional_bytes"], peak_bytes=figures["memory"]["peak_bytes_of_a_rank"],
            weight_bytes=sum(load["weight_bytes"] for load in loads), transport=figures["settings"]["transport"],
            raw_seconds=figures["raw"]["seconds"]["median"],
            page_cache_fraction_before=figures["page_cache_fraction_before"]))

    def measurements(self):
        """What belongs to the models of this run; --work may hold others."""
        stems = (self.store("size").stem, self.store("shared_size").stem, self.checkpoint().stem)
        return [entry for key, entry in self.done.items() if key.split("/")[1] in stems]

    @staticmethod
    def in_turn(sides, round_number):
        """Those that begin change from round to round."""
        order = list(sides)
        return order[round_number % len(order):] + order[:round_number % len(order)]


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True, help="build folder")
    parser.add_argument("--work", type=Path, required=True, help="folder on the storage that is to be measured")
    parser.add_argument("--size", default="4GiB", help="of the large store (default 4GiB)")
    parser.add_argument("--shared-size", default="2GiB", help="of the small store and the checkpoint (default 2GiB)")
    parser.add_argument("--shard-bytes", type=float, default=1e9, help="of the checkpoint's files (default 1e9)")
    parser.add_argument("--ranks", default="1,2,4,8", help="of Reelyard (default 1,2,4,8)")
    parser.add_argument("--processes", default="1,2,4", help="of the loaders (default 1,2,4)")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--parts", default="ways,strategies,loaders")
    parser.add_argument("--loaders", default=",".join(competitors.NAMES), help="the others, separated by commas")
    parser.add_argument("--json", type=Path, default=HERE / "results/study.json", help="where all figures go")
    parser.add_argument("--plot", type=Path, default=HERE.parents[1] / "docs/images/creation.svg")
    parser.add_argument("--quick", action="store_true",
                        help="a try: stores of 256MiB, up to 4 ranks, one repetition, results and plot in --work")
    options = parser.parse_args()
    if options.quick:
        options.size = options.shared_size = "256MiB"
        options.ranks, options.processes, options.repetitions, options.shard_bytes = "1,2,4", "1,2", 1, 1e8
        options.json, options.plot = options.work / "study.json", options.work / "creation.svg"
    options.loaders = [side for side in options.loaders.split(",") if side]
    size_of(options.size), size_of(options.shared_size)
    options.ranks, options.processes = ([int(n) for n in text.split(",")] for text in (options.ranks, options.processes))
    return options


def main(options):
    options.work.mkdir(parents=True, exist_ok=True)
    study = Study(options)
    study.make_inputs()
    for part in options.parts.split(","):
        print(f"{part}, load average {os.getloadavg()[0]:.1f}", flush=True)
        getattr(study, part)()
    results = dict(machine=machine.facts(options.work, options.build / "bin/reelyard"),
                   settings={name: getattr(options, name) for name in SETTINGS}, measurements=study.measurements())
    report.write(results, options.json)
    report.plot(results, options.plot)
    print(report.tables(results))
    print(cost_model.text(results))


if __name__ == "__main__":
    main(parse())

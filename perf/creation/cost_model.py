"""A model of what creation costs, fitted to what study.py has measured, and what it says of Wan2.1-14B on clusters.

    python perf/creation/cost_model.py perf/creation/results/study.json

once:     bytes / storage bandwidth + bytes exchanged / link bandwidth + fixed + fixed per rank * ranks
everyone: bytes / storage bandwidth + ranks * bytes / bandwidth of copies + fixed + fixed per rank * ranks

Reading and exchange overlap in the program; the model adds them up, so it errs on the slow side. The coefficients are found by
least squares on relative errors, none of them below zero.
"""
import argparse
import itertools
import json
from pathlib import Path

import numpy

import report

# Wan2.1-T2V-14B with transformer and text encoder in bfloat16 and the VAE in float32, as import --dtype bfloat16 stores it.
WAN_14B = dict(transformer=28.6e9, text_encoder=11.4e9, vae=0.5e9)
STORAGE = (2e9, 10e9, 50e9)  # bytes per second that the file system gives to all nodes together
LINK = 12.5e9  # bytes per second into a node: one port of 100 Gbit/s
GPUS_PER_NODE = 8
GIGA = 1e9
GPUS = (1, 2, 4, 8, 16, 32, 64)


def samples(results, transport):
    """(bytes used, bytes exchanged, ranks, seconds) of every load of a transport that read once."""
    for part in ("ways", "strategies"):
        for _, figures in report.entries(results, part):
            settings = figures["settings"]
            if settings["strategy"] != "once" or settings["transport"] != transport:
                continue
            count = len(figures["by_rank"][0]["loads"])
            for i in range(count):
                loads = [rank["loads"][i] for rank in figures["by_rank"]]
                yield (figures["bytes"]["used"], sum(load["bytes_exchanged"] for load in loads), figures["ranks"],
                       max(load["total_seconds"] for load in loads))


def everyone(results):
    """The same of the loads in which everyone read everything, with the bytes copied for those exchanged."""
    for _, figures in report.entries(results, "strategies"):
        if figures["settings"]["strategy"] == "everyone":
            yield (figures["bytes"]["used"], figures["bytes"]["read"], figures["ranks"], figures["load"]["seconds"]["median"])


def fit(points):
    """Coefficients of (GB used, GB exchanged, 1, ranks), and the relative residuals."""
    rows = numpy.array([(used / GIGA, exchanged / GIGA, 1.0, ranks) for used, exchanged, ranks, _ in points])
    seconds = numpy.array([point[-1] for point in points])
    scaled, ones = rows / seconds[:, None], numpy.ones(len(seconds))
    best = None
    # None below zero: of all sets of terms the one that fits best without negative coefficients.
    for kept in itertools.chain.from_iterable(itertools.combinations(range(4), n) for n in range(1, 5)):
        solution, *_ = numpy.linalg.lstsq(scaled[:, kept], ones, rcond=None)
        if (solution < 0).any():
            continue
        coefficients = numpy.zeros(4)
        coefficients[list(kept)] = solution
        residuals = scaled @ coefficients - 1
        if best is None or residuals @ residuals < best[1] @ best[1]:
            best = coefficients, residuals
    return best


def fitted_text(name, second, coefficients, residuals):
    def rate(seconds_per_gb):
        return f"{1 / seconds_per_gb:.2f} GB/s" if seconds_per_gb > 0 else "no cost seen"
    storage, link, fixed, per_rank = coefficients
    return (f"{name}: storage {rate(storage)}, {second} {rate(link)} (all ranks of this machine together), fixed {fixed:.3f} s, "
            f"{per_rank:.4f} s per rank; residuals of {len(residuals)} loads: root mean square {rms(residuals):.1%}, "
            f"largest {abs(residuals).max():.1%}\n")


def rms(values):
    return float(numpy.sqrt(numpy.mean(numpy.square(values))))


def creation(size, storage, gpus, fixed, per_rank):
    """Seconds on a cluster. What a node receives from others comes through its own link."""
    nodes = -(-gpus // GPUS_PER_NODE)
    return size / storage + size * (1 - 1 / nodes) / LINK + fixed + per_rank * min(gpus, GPUS_PER_NODE)


def duration(seconds):
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.1f} min"


def prediction(coefficients):
    size, (_, _, fixed, per_rank) = sum(WAN_14B.values()), coefficients
    lines = []
    for gpus in GPUS:
        nodes = -(-gpus // GPUS_PER_NODE)
        cells = [" / ".join(duration(value) for value in (creation(size, storage, gpus, fixed, per_rank),
                                                          size * nodes / storage, size * gpus / storage))
                 for storage in STORAGE]
        lines.append([str(gpus), str(nodes), *cells])
    head = ["GPUs", "nodes"] + [f"storage {storage / 1e9:.0f} GB/s" for storage in STORAGE]
    parts = ", ".join(f"{name} {bytes_ / 1e9:.1f} GB" for name, bytes_ in WAN_14B.items())
    return (f"\nWan2.1-14B ({parts}; {size / 1e9:.1f} GB together), link {LINK / 1e9:.1f} GB/s into a node, storage for all nodes "
            "together. Each cell: read once / everyone reads everything, the page cache of a node serving all but its first "
            "rank / everyone, without such luck. The two of everyone are the reading alone, without copies and processors.\n\n"
            + report.table(head, lines))


def text(results):
    kinds = (("once, direct", "exchange", list(samples(results, "direct"))),
             ("once, collective", "exchange", list(samples(results, "collective"))),
             ("everyone", "copies", list(everyone(results))))
    out, fits = "\n", {}
    for name, second, points in kinds:
        if len(points) >= 4:
            fits[name] = fit(points)
            out += fitted_text(name, second, *fits[name])
    return out + prediction(fits["once, direct"][0]) if "once, direct" in fits else out


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    print(text(json.loads(parser.parse_args().results.read_text())))

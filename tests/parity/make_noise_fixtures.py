"""Writes tests/fixtures/samplers/noise.json: torch.randn with a seeded CPU generator, as diffusers' randn_tensor draws it.

Needs torch. Run from anywhere: python tests/parity/make_noise_fixtures.py
Long tensors are kept as some of their values and sums over equal parts.
"""

import json
import pathlib

import torch

OUT = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "samplers" / "noise.json"
CASES = [([1], 0), ([5], 1), ([15], 42), ([16], 42), ([17], 42), ([2, 3, 5], 7), ([1, 16, 1, 2, 2], 123),
         ([1, 16, 5, 30, 52], 2**63 - 1), ([1, 16, 21, 60, 104], 42), ([3, 1000], 2**40 + 5)]


def main():
    cases = []
    for shape, seed in CASES:
        noise = torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed)).flatten()
        places = sorted({*range(min(20, noise.numel())), *range(max(0, noise.numel() - 20), noise.numel()),
                         *range(0, noise.numel(), max(1, noise.numel() // 50))})
        cases.append({"shape": shape, "seed": seed, "places": places,
                      "values": [float(f"{noise[i].item():.9g}") for i in places], "sum": noise.double().sum().item(),
                      "sum_of_squares": noise.double().square().sum().item()})
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"cases": cases}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

"""Writes tests/fixtures/samplers/trajectories.json: what diffusers' schedulers make of given velocities.

Needs torch, numpy and diffusers. Run from anywhere: python tests/parity/make_sampler_fixtures.py
Where diffusers has no table of a name (`official`, and `karras` for DPM++), its solver is given the table, computed here.
"""

import json
import pathlib

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler, FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler

SHAPE = [1, 2, 3, 1, 2]
CASES = [(1, 5.0), (2, 3.0), (3, 1.0), (5, 5.0), (20, 16.0), (50, 5.0), (50, 8.0)]
FLOW = {"prediction_type": "flow_prediction", "use_flow_sigmas": True}
OUT = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "samplers" / "trajectories.json"


def shifted(base, shift):
    return shift * base / (1 + (shift - 1) * base)


def given_table(scheduler, steps, sigmas):
    """`scheduler` with another table of levels, as set_timesteps would leave it."""
    scheduler.set_timesteps(steps)
    scheduler.sigmas = torch.from_numpy(np.append(sigmas, 0.0).astype(np.float32))
    scheduler.timesteps = torch.from_numpy(np.asarray(sigmas) * 1000).to(torch.int64)
    return scheduler


def unipc(schedule, steps, shift):
    if schedule == "official":
        highest = float(np.float32(1 - 1 / 1000))
        table = shifted(np.linspace(highest, 0, steps + 1)[:-1], shift)
        return given_table(UniPCMultistepScheduler(flow_shift=shift, **FLOW), steps, table)
    scheduler = UniPCMultistepScheduler(flow_shift=shift, use_karras_sigmas=schedule == "karras", **FLOW)
    scheduler.set_timesteps(steps)
    return scheduler


def dpmpp(schedule, steps, shift):
    scheduler = DPMSolverMultistepScheduler(flow_shift=shift, **FLOW)
    if schedule == "official":
        return given_table(scheduler, steps, shifted(np.linspace(1, 0, steps + 1)[:-1], shift))
    if schedule == "karras":
        donor = unipc("karras", steps, shift)
        scheduler.set_timesteps(steps)
        scheduler.sigmas, scheduler.timesteps = donor.sigmas, donor.timesteps
        return scheduler
    scheduler.set_timesteps(steps)
    return scheduler


def euler(schedule, steps, shift):
    if schedule == "official":
        scheduler = FlowMatchEulerDiscreteScheduler(shift=1.0)
        scheduler.set_timesteps(sigmas=list(shifted(np.linspace(1, 0, steps + 1)[:-1], shift)))
        return scheduler
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift, use_karras_sigmas=schedule == "karras")
    scheduler.set_timesteps(steps)
    return scheduler


def numbers(tensor):
    return [float(f"{x:.9g}") for x in tensor.flatten().tolist()]


def main():
    generator = torch.Generator("cpu").manual_seed(20)
    document = {"shape": SHAPE, "cases": []}
    for steps, shift in CASES:
        noise = torch.randn(SHAPE, generator=generator)
        velocity = torch.randn([steps, *SHAPE], generator=generator)
        case = {"steps": steps, "flow_shift": shift, "noise": numbers(noise), "velocity": numbers(velocity), "runs": []}
        for name, make in {"unipc": unipc, "dpmpp": dpmpp, "euler": euler}.items():
            for schedule in ["official", "diffusers", "karras"]:
                scheduler = make(schedule, steps, shift)
                scheduler.set_begin_index(0)
                sample, samples = noise, []
                for k, t in enumerate(scheduler.timesteps):
                    sample = scheduler.step(velocity[k], t, sample, return_dict=False)[0]
                    samples.append(sample)
                assert torch.isfinite(sample).all(), (name, schedule, steps, shift)
                case["runs"].append({"sampler": name, "sigma_schedule": schedule,
                                     "sigmas": numbers(scheduler.sigmas), "timesteps": numbers(scheduler.timesteps),
                                     "samples": numbers(torch.stack(samples))})
        document["cases"].append(case)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

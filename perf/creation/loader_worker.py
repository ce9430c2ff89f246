"""One process of another loader, as study.py starts several of them and keeps them in step through lines of text.

    python loader_worker.py SIDE CHECKPOINT RANK PROCESSES RENDEZVOUS

It says when its imports are done, touches memory and frees it when told, loads when told, and then says what that took. A
loader is done when it has read a byte of every page of every tensor, so that nothing is left for the first step to wait for.
"""
import json
import mmap
import os
import sys
import time
from pathlib import Path


def diffusers_side(checkpoint, processes):
    """What most users do: a built model."""
    import torch
    from diffusers import WanTransformer3DModel

    def load():
        model = WanTransformer3DModel.from_pretrained(checkpoint, torch_dtype=torch.bfloat16)
        return model, list(model.parameters()) + list(model.buffers())
    return load


def safetensors_side(checkpoint, processes):
    from safetensors.torch import load_file

    def load():
        tensors = {}
        for path in shards(checkpoint):
            tensors |= load_file(path)
        return tensors, list(tensors.values())
    return load


def runai_side(checkpoint, processes, distributed=False):
    """Tensors that the caller keeps ("owned", the default)."""
    from runai_model_streamer import SafetensorsStreamer

    def load():
        with SafetensorsStreamer() as streamer:
            streamer.stream_files(shards(checkpoint), device="cpu", is_distributed=distributed)
            tensors = dict(streamer.get_tensors())
        return tensors, list(tensors.values())
    return load


def runai_direct_side(checkpoint, processes):
    os.environ["RUNAI_STREAMER_DIRECTIO"] = "1"
    return runai_side(checkpoint, processes)


def runai_distributed_side(checkpoint, processes):
    os.environ["RUNAI_STREAMER_DIST"] = "1"
    join_group()
    return runai_side(checkpoint, processes, distributed=processes > 1)


def fastsafetensors_side(checkpoint, processes):
    from fastsafetensors import fastsafe_open

    def load():
        with fastsafe_open(shards(checkpoint), nogds=True, device="cpu") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        return tensors, list(tensors.values())
    return load


SIDES = {"diffusers": diffusers_side, "safetensors": safetensors_side, "runai": runai_side,
         "runai direct": runai_direct_side, "runai distributed": runai_distributed_side,
         "fastsafetensors": fastsafetensors_side}


def shards(checkpoint):
    return sorted(str(path) for path in Path(checkpoint).glob("*.safetensors"))


def join_group():
    import torch.distributed
    rank, processes, rendezvous = int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
    torch.distributed.init_process_group("gloo", init_method=f"file://{rendezvous}", rank=rank, world_size=processes)


def touch(size):
    """Memory of which every page has been written to."""
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE)
    import numpy
    numpy.frombuffer(memory, numpy.uint8)[::4096] = 1
    return memory


def read_every_page(tensors):
    """A byte of every 4 KiB of every tensor."""
    import torch
    total = 0
    for tensor in tensors:
        if tensor.numel() > 0:
            flat = tensor.detach().contiguous().view(-1).view(torch.uint8)
            total += int(flat[::4096].sum()) + int(flat[-1])
    return total


def number_in(path, key):
    return next(int(line.split()[1]) for line in Path(path).read_text().splitlines() if line.startswith(key))


def proportional_bytes():
    return number_in("/proc/self/smaps_rollup", "Pss:") * 1024


def say(**facts):
    print(json.dumps(facts), flush=True)


def wait_for(word):
    line = sys.stdin.readline().split()
    if not line or line[0] != word:
        sys.exit(f"loader_worker.py: told {line} (expected {word})")
    return line[1:]


def main():
    replies = os.fdopen(os.dup(1), "w")  # loaders print what they like: to standard error with it
    os.dup2(2, 1)
    sys.stdout = replies
    side, checkpoint, processes = sys.argv[1], sys.argv[2], int(sys.argv[4])
    import torch  # every side needs it
    load = SIDES[side](checkpoint, processes)
    say(imported=time.monotonic())
    memory = touch(int(wait_for("touch")[0]))
    say(touched=True)
    wait_for("free")
    memory.close()
    Path("/proc/self/clear_refs").write_text("5")
    before = number_in("/proc/self/status", "VmRSS:") * 1024
    say(freed=True, pss_bytes=proportional_bytes())

    wait_for("go")
    read_before = number_in("/proc/self/io", "read_bytes:")
    kept, tensors = load()
    loaded = time.monotonic()
    read_every_page(tensors)
    ready = time.monotonic()
    say(loaded=loaded, ready=ready, read_bytes=number_in("/proc/self/io", "read_bytes:") - read_before,
        weight_bytes=sum(t.numel() * t.element_size() for t in tensors),
        peak_bytes=number_in("/proc/self/status", "VmHWM:") * 1024 - before)
    wait_for("count")
    say(pss_bytes=proportional_bytes())
    wait_for("end")
    del kept
    os._exit(0)  # what the loaders still have to tidy up is of no interest


if __name__ == "__main__":
    main()

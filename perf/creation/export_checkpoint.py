"""The transformer of a weight store as a folder in the layout of diffusers: the same tensors, in safetensors shards."""
import json

import h5py
import torch
from safetensors.torch import save_file

TYPES = dict(float32=torch.float32, float16=torch.float16, bfloat16=torch.bfloat16)


def read_tensor(slab, tensor):
    raw = torch.from_numpy(slab[tensor["offset"]:tensor["offset"] + tensor["bytes"]])
    values = raw.view(TYPES[tensor["dtype"]])
    if tensor["transposed"]:
        return values.view(tensor["shape"][::-1]).t().contiguous()
    return values.view(tensor["shape"])


def shards_of(tensors, shard_bytes):
    """Runs of tensors of about that many bytes."""
    shard, size = [], 0
    for tensor in tensors:
        if shard and size + tensor["bytes"] > shard_bytes:
            yield shard
            shard, size = [], 0
        shard.append(tensor)
        size += tensor["bytes"]
    yield shard


def export_transformer(store, folder, shard_bytes):
    """Writes FOLDER/config.json, the shards and their index; the folder is there when all of it is."""
    part = folder.with_name(folder.name + ".part")
    part.mkdir(parents=True, exist_ok=True)
    with h5py.File(store) as file:
        index = json.loads(bytes(file["index"][:]))
        component = next(c for c in index["components"] if c["name"] == "transformer")
        (part / "config.json").write_bytes(bytes(file["files/transformer/config.json"][:]))
        shards = list(shards_of(component["tensors"], shard_bytes))
        places = {}
        for number, shard in enumerate(shards):
            name = f"diffusion_pytorch_model-{number + 1:05d}-of-{len(shards):05d}.safetensors"
            save_file({t["name"]: read_tensor(file["slabs/transformer"], t) for t in shard}, part / name)
            places |= {t["name"]: name for t in shard}
        total = sum(t["bytes"] for t in component["tensors"])
    (part / "diffusion_pytorch_model.safetensors.index.json").write_text(
        json.dumps(dict(metadata=dict(total_size=total), weight_map=places), indent=2))
    part.rename(folder)


def transformer_bytes(store):
    with h5py.File(store) as file:
        index = json.loads(bytes(file["index"][:]))
        return sum(t["bytes"] for c in index["components"] if c["name"] == "transformer" for t in c["tensors"])

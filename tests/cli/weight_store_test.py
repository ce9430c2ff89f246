"""A weight store as others see it: through h5py by the documented snippet, and through the program's exit codes.

usage: weight_store_test.py REELYARD MPIRUN CHECKPOINT DOCUMENT
"""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

try:
    import h5py
    import numpy as np
    from safetensors import safe_open
except ImportError as missing:
    print(f"skipped: {missing}; tests/requirements.txt lists what is needed")
    sys.exit(77)

PROGRAM, MPIRUN, CHECKPOINT, DOCUMENT = sys.argv[1], sys.argv[2].split(), Path(sys.argv[3]), Path(sys.argv[4])


def run(*arguments, ranks=1):
    command = [*MPIRUN, "-n", str(ranks), PROGRAM] if ranks > 1 else [PROGRAM]
    return subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, errors="replace")


def documented_reader():
    """The function that the format's page shows."""
    code = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL).group(1)
    names = {}
    exec(code, names)
    return names["read_tensor"]


def source_tensors(component):
    for path in sorted((CHECKPOINT / component).glob("*.safetensors")):
        with safe_open(path, "np") as file:
            for name in file.keys():
                yield name, file.get_tensor(name)


class WeightStore(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.store = self.folder / "m.h5"

    def expect(self, result, code, *texts):
        self.assertEqual(result.returncode, code, result.stderr)
        for text in texts:
            self.assertIn(text, result.stderr)

    def copy_checkpoint(self):
        copy = self.folder / "checkpoint"
        shutil.copytree(CHECKPOINT, copy)
        return copy

    def import_fails(self, checkpoint, code, *texts, ranks=1):
        self.expect(run("import", checkpoint, "-o", self.store, ranks=ranks), code, *texts)
        left = [name for name in os.listdir(self.folder) if name != checkpoint.name]
        self.assertEqual(left, [], "something was left behind")

    def test_every_tensor_is_read_by_the_documented_snippet(self):
        self.expect(run("import", CHECKPOINT, "-o", self.store, ranks=2), 0)
        read = documented_reader()
        for component in ("transformer", "text_encoder", "vae"):
            count = 0
            for name, expected in source_tensors(component):
                found = read(self.store, component, name)
                self.assertEqual(found.dtype, expected.dtype, name)
                np.testing.assert_array_equal(found, expected, name)
                count += 1
            self.assertGreater(count, 10)

    def test_bfloat16_is_rounded_to_nearest_even(self):
        self.expect(run("import", CHECKPOINT, "-o", self.store, "--dtype", "bfloat16"), 0)
        read = documented_reader()
        for name, value in source_tensors("transformer"):
            found = read(self.store, "transformer", name)
            if name.startswith("blocks") and name.endswith("to_q.weight"):
                bits = value.astype(np.float32).view(np.uint32)
                rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
                np.testing.assert_array_equal(found, rounded.view(np.float32), name)
            elif "norm" in name:  # kept in float32 by the model: left as it was
                np.testing.assert_array_equal(found, value, name)

    def test_configs_and_tokenizer_are_embedded_byte_for_byte(self):
        self.expect(run("import", CHECKPOINT, "-o", self.store), 0)
        with h5py.File(self.store) as store:
            for name in ("model_index.json", "transformer/config.json", "tokenizer/spiece.model"):
                self.assertEqual(bytes(store["files"][name][:]), (CHECKPOINT / name).read_bytes(), name)
            self.assertEqual(store.attrs["schema_version"], 1)

    def test_inspect_counts_what_is_there(self):
        self.expect(run("import", CHECKPOINT, "-o", self.store), 0)
        shown = json.loads(run("inspect", self.store, "--json", "--verify").stdout)
        self.assertEqual(shown["corrupted"], [])
        self.assertEqual(
            shown["configs"]["vae/config.json"], json.loads((CHECKPOINT / "vae/config.json").read_text())
        )
        for component in shown["components"]:
            expected = sum(value.size for _, value in source_tensors(component["name"]))
            self.assertEqual(component["parameters"], expected, component["name"])
            with h5py.File(self.store) as store:
                self.assertEqual(store["slabs"][component["name"]].id.get_offset(), component["slab_offset"])
        table = run("inspect", self.store, "--verify").stdout
        for text in ("WanTransformer3DModel", "UMT5EncoderModel", "AutoencoderKLWan", "all checksums agree"):
            self.assertIn(text, table)

    def test_crc32_is_that_of_the_bytes_in_the_file(self):
        self.expect(run("import", CHECKPOINT, "-o", self.store, "--dtype", "bfloat16", ranks=2), 0)
        shown = json.loads(run("inspect", self.store, "--json").stdout)
        whole = self.store.read_bytes()
        for component in shown["components"]:
            for tensor in component["tensors"]:
                stored = whole[tensor["file_offset"] : tensor["file_offset"] + tensor["bytes"]]
                self.assertEqual(tensor["crc32"], f"{zlib.crc32(stored):08x}", tensor["name"])

    def test_a_changed_byte_is_found_and_its_tensor_named(self):
        self.expect(run("import", CHECKPOINT, "-o", self.store), 0)
        shown = json.loads(run("inspect", self.store, "--json").stdout)
        tensor = shown["components"][0]["tensors"][7]
        with open(self.store, "r+b") as file:
            file.seek(tensor["file_offset"] + tensor["bytes"] // 3)
            byte = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte ^ 1]))
        for ranks in (1, 2):
            self.expect(run("inspect", self.store, "--verify", ranks=ranks), 3, tensor["name"], "m.h5")
        self.assertEqual(
            json.loads(run("inspect", self.store, "--verify", "--json").stdout)["corrupted"],
            [shown["components"][0]["name"] + "/" + tensor["name"]],
        )

    def test_broken_stores_are_refused(self):
        self.expect(run("import", CHECKPOINT, "-o", self.store), 0)
        size = self.store.stat().st_size
        for kept in (0, 100, 5000, size // 2, size - 1):
            broken = self.folder / "broken.h5"
            broken.write_bytes(self.store.read_bytes()[:kept])
            self.expect(run("inspect", broken), 3, "broken.h5")
        with h5py.File(self.store, "r+") as store:
            store.attrs["schema_version"] = 2
        self.expect(run("inspect", self.store), 3, "schema version 2 (expected 1")
        self.expect(run("inspect", self.folder / "none.h5"), 3, "none.h5")

    def test_random_damage_never_crashes(self):
        self.expect(run("import", CHECKPOINT, "-o", self.store), 0)
        whole = bytearray(self.store.read_bytes())
        random = np.random.default_rng(3)
        broken = self.folder / "broken.h5"
        for _ in range(12):
            damaged = bytearray(whole)
            for place in random.integers(0, 8192, 6):  # where HDF5 keeps its own structure
                damaged[place] = int(random.integers(0, 256))
            broken.write_bytes(damaged)
            self.assertIn(run("inspect", broken).returncode, (0, 3, 5))

    def test_missing_parts_are_named(self):
        checkpoint = self.copy_checkpoint()
        (checkpoint / "vae/diffusion_pytorch_model.safetensors").unlink()
        self.import_fails(checkpoint, 3, "vae", "diffusion_pytorch_model.safetensors")
        shutil.rmtree(checkpoint / "vae")
        self.import_fails(checkpoint, 3, "vae", ranks=2)
        (checkpoint / "model_index.json").unlink()
        self.import_fails(checkpoint, 3, "model_index.json")

    def test_truncated_weights_are_named(self):
        checkpoint = self.copy_checkpoint()
        weights = checkpoint / "transformer/diffusion_pytorch_model.safetensors"
        os.truncate(weights, weights.stat().st_size - 1)
        self.import_fails(checkpoint, 3, "transformer/diffusion_pytorch_model.safetensors", "tensor '", ranks=2)

    def test_a_header_length_that_lies_allocates_nothing(self):
        checkpoint = self.copy_checkpoint()
        weights = checkpoint / "transformer/diffusion_pytorch_model.safetensors"
        with open(weights, "r+b") as file:
            file.write(struct.pack("<Q", 1 << 60))
        self.import_fails(checkpoint, 3, "claims a header of 1152921504606846976 bytes")

    def test_configs_that_contradict_the_weights_are_refused(self):
        checkpoint = self.copy_checkpoint()
        path = checkpoint / "transformer/config.json"
        config = json.loads(path.read_text())
        path.write_text(json.dumps(config | {"ffn_dim": 513, "num_layers": config["num_layers"] + 1}))
        self.import_fails(checkpoint, 3, "blocks.0.ffn.net.0.proj.weight", "[513, ", "is missing")
        path.write_text(json.dumps(config | {"num_layers": config["num_layers"] - 1}))
        self.import_fails(checkpoint, 3, "is unexpected", f"blocks.{config['num_layers'] - 1}.")

    def test_unsupported_models_are_refused(self):
        checkpoint = self.copy_checkpoint()
        path = checkpoint / "model_index.json"
        index = json.loads(path.read_text())
        path.write_text(json.dumps(index | {"_class_name": "SomeOtherPipeline"}))
        self.import_fails(checkpoint, 3, "SomeOtherPipeline")

    def test_a_full_disk_leaves_nothing(self):
        disk = self.folder / "disk"
        disk.mkdir()
        # First too small at sight, then with room for the weights but not for the rest.
        for size in ("5m", "9000k"):
            mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], capture_output=True)
            if mounted.returncode != 0:
                self.skipTest("no small file system can be mounted here")
            try:
                for ranks in (1, 2):
                    result = run("import", CHECKPOINT, "-o", disk / "m.h5", ranks=ranks)
                    self.expect(result, 4, "make room")
                    self.assertEqual(os.listdir(disk), [])
            finally:
                subprocess.run(["umount", disk], check=True)

    def test_wrong_usage_is_told(self):
        self.expect(run("import", CHECKPOINT), 2, "-o")
        self.expect(run("import", CHECKPOINT, "-o", self.store, "--dtype", "int4"), 2, "int4")
        self.expect(run("import", CHECKPOINT, "-o", self.folder / "none" / "m.h5"), 2, "no such folder")
        self.expect(run("inspect"), 2, "no weight store")
        self.assertEqual(os.listdir(self.folder), [])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)

"""What the measurements need of the machine: its facts, its page cache, its counters."""
import ctypes
import mmap
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

PAGE = 4096


def first_line(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()
    except (OSError, subprocess.CalledProcessError, IndexError):
        return None


def meminfo():
    lines = Path("/proc/meminfo").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}


def facts(folder, program):
    """Everything that a reader needs to judge the figures."""
    model = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    packages = ("torch", "diffusers", "safetensors", "runai-model-streamer", "fastsafetensors", "accelerate")
    return dict(
        processor=model[0] if model else platform.processor(), cores=len(os.sched_getaffinity(0)),
        memory_bytes=meminfo()["MemTotal"], kernel=platform.release(),
        file_system=first_line(["stat", "-f", "-c", "%T", str(folder)]), device=device_of(folder),
        mpi=first_line(["mpirun", "--version"]), reelyard=first_line([str(program), "--version"]),
        python=platform.python_version(), packages={name: metadata.version(name) for name in packages})


def block_stat(folder):
    """The counters of the block device under a folder, or None on network and other file systems."""
    status = os.stat(folder).st_dev
    path = Path(f"/sys/dev/block/{os.major(status)}:{os.minor(status)}/stat")
    return path if path.exists() else None


def device_of(folder):
    stat = block_stat(folder)
    return stat.parent.resolve().name if stat else None


def device_bytes_read(folder):
    stat = block_stat(folder)
    return int(stat.read_text().split()[2]) * 512 if stat else None


def drop_from_page_cache(paths):
    for path in paths:
        with open(path, "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def resident_fraction(paths):
    """How much of some files is in the page cache, 0 to 1."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
    libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    resident = pages = 0
    for path in paths:
        size = os.path.getsize(path)
        count = (size + PAGE - 1) // PAGE
        with open(path, "rb") as file:
            address = libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
        if address == ctypes.c_void_p(-1).value:
            raise OSError(ctypes.get_errno(), f"{path} cannot be mapped")
        flags = ctypes.create_string_buffer(count)
        failed = libc.mincore(address, size, flags)
        libc.munmap(address, size)
        if failed:
            raise OSError(ctypes.get_errno(), f"mincore of {path} failed")
        resident += sum(byte & 1 for byte in flags.raw)
        pages += count
    return resident / pages

"""Runs several processes of another loader in step, and sums up what they say."""
import json
import subprocess
import sys
import time
from pathlib import Path

import machine
from loader_worker import SIDES

NAMES = list(SIDES)
WORKER = Path(__file__).with_name("loader_worker.py")
# What a process needs besides the weights, generously: the distributed streamer keeps two buffers of 1 GiB.
SPARE = {"runai distributed": 5 << 29}
DEFAULT_SPARE = 1 << 28


class Workers:
    """Processes that are spoken to in lines, all of them at once."""

    def __init__(self, side, checkpoint, count, rendezvous):
        rendezvous.unlink(missing_ok=True)
        self.processes = [
            subprocess.Popen([sys.executable, WORKER, side, checkpoint, str(rank), str(count), rendezvous],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for rank in range(count)]

    def answers(self):
        return [self.answer(process) for process in self.processes]

    def answer(self, process):
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"a loader ended: {process.stderr.read()[-2000:]}")
        return json.loads(line)

    def tell(self, *words):
        for process in self.processes:
            print(*words, file=process.stdin, flush=True)

    def close(self):
        for process in self.processes:
            process.kill()
            process.communicate()


def measure(side, checkpoint, count, size, work):
    """One load of `side` by `count` processes, from a cold cache, with memory touched beforehand."""
    files = sorted(checkpoint.glob("*.safetensors"))
    spawned = time.monotonic()
    workers = Workers(side, checkpoint, count, work / "rendezvous")
    try:
        imported = max(answer["imported"] for answer in workers.answers()) - spawned
        machine.drop_from_page_cache(files)
        fraction = machine.resident_fraction(files)
        wanted = size + size // count + SPARE.get(side, DEFAULT_SPARE)  # weights, page cache, the rest
        workers.tell("touch", min(wanted, machine.meminfo()["MemAvailable"] * 9 // 10 // count))
        workers.answers()
        workers.tell("free")
        pss_before = sum(answer["pss_bytes"] for answer in workers.answers())
        device_before, begin = machine.device_bytes_read(checkpoint), time.monotonic()
        workers.tell("go")
        answers = workers.answers()
        device = machine.device_bytes_read(checkpoint)
        workers.tell("count")
        pss = sum(answer["pss_bytes"] for answer in workers.answers()) - pss_before
        workers.tell("end")
    finally:
        workers.close()
    return dict(
        ready_seconds=max(answer["ready"] for answer in answers) - begin,
        loaded_seconds=max(answer["loaded"] for answer in answers) - begin, start_seconds=imported,
        read_by_system=sum(answer["read_bytes"] for answer in answers),
        of_device=device - device_before if device is not None else None, pss_bytes=pss,
        peak_bytes=max(answer["peak_bytes"] for answer in answers),
        weight_bytes=sum(answer["weight_bytes"] for answer in answers), page_cache_fraction_before=fraction)

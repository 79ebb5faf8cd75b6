#!/usr/bin/env python3
"""How soon the first preview is there: from the command to its file, beside a plain read of the weights and one step.

    ready.py WORK [--safelight build/safelight] [--runs N] [--only TEXT]... [--dtype f32] [--side 512] [--model PATH]...

WORK is compare.py's folder: models of SD 1.5's sizes with random weights, made on the spot (13 GB), as a folder and a file in f32 and a
file in f16; --model names others instead. Each run is the real command, `safelight generate --previews`, with no hash remembered, and
is stopped when its steps were timed. All figures are minima over the runs, since everything that goes wrong takes longer:

    read     all bytes of the files, one after the other into one buffer (from the page cache; --drop: from the disk)
    step     from one preview to the next, the fastest, so with nothing beside it
    ready    from the command to the first preview
    load     ready - step: what is no step, as a multiple of `read`
    ratio    ready / (read + step)

The same with the processor time that the program took in brackets, where other work runs beside. A virtual machine may have lent its
free memory to others, and getting it back costs up to seconds per gigabyte ("cold"): --warm touches memory before each run, so that
the program finds it there; without it the figures are those of the machine as it is.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import compare  # noqa: E402

STEPS = 4  # the first makes what later ones find; hashing may run beside the second


def models_of(args):
    if args.model:
        return {path.name: path for path in args.model}
    made = {"folder, f32": lambda: compare.folder_of(args.work, "sd15"),
            "one file, f32": lambda: compare.checkpoint_of(args.work, "f32"),
            "one file, f16": lambda: compare.checkpoint_of(args.work, "f16")}
    return {name: make() for name, make in made.items() if not args.only or any(text in name for text in args.only)}


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def forget(model):
    """Takes the model's files out of the page cache."""
    for path in compare.files_of(model):
        with open(path, "rb") as f:
            os.fdatasync(f.fileno())
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run_once(args, model):
    """The clock and the processor time at each preview, and the peak memory then."""
    with tempfile.TemporaryDirectory(prefix="safelight-ready-") as folder:
        command = [args.safelight, "generate", "--model", model, "--device", "cpu", "--dtype", args.dtype, "--prompt", compare.PROMPT,
                   "--steps", STEPS, "--scheduler", "euler", "--width", args.side, "--height", args.side, "--seed", 0,
                   "--previews", folder, "--preview-decoder", "none", "--output", Path(folder) / "picture.png", "--quiet"]
        start, seen = time.monotonic(), []
        child = subprocess.Popen([str(c) for c in command], env=os.environ | {"XDG_CACHE_HOME": folder})
        while len(seen) < STEPS and child.poll() is None:
            if (Path(folder) / f"{len(seen) + 1:04}.png").exists():  # files appear whole
                seen.append((time.monotonic() - start, processor_seconds(child.pid)))
            else:
                time.sleep(0.002)
        status = Path(f"/proc/{child.pid}/status").read_text() if child.poll() is None else ""
        child.kill()
        child.wait()
    if len(seen) < STEPS:
        raise RuntimeError(f"{args.safelight} ended with {child.returncode} after {len(seen)} previews")
    peak = [int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")]
    return seen, peak[0] if peak else 0


def measure(args, model):
    clock = {"ready": [], "step": []}
    processor = {"ready": [], "step": []}
    reads, peak = [], 0
    for _ in range(args.runs):
        if args.drop:
            forget(model)
            start = time.monotonic()
            compare.read_all(model)
            reads.append(time.monotonic() - start)
            forget(model)
        else:
            reads.append(compare.plain_read(model))
        if args.warm:
            compare.touch_memory()
        seen, most = run_once(args, model)
        peak = max(peak, most)
        for figures, i in ((clock, 0), (processor, 1)):
            figures["ready"].append(seen[0][i])
            figures["step"].append(min(b[i] - a[i] for a, b in zip(seen, seen[1:])))
    read = min(reads)
    ready, step = min(clock["ready"]), min(clock["step"])
    ready_processor, step_processor = min(processor["ready"]), min(processor["step"])
    return {"read": read, "step": step, "ready": ready, "load": (ready - step) / read, "ratio": ready / (read + step), "peak": peak,
            "step_processor": step_processor, "ready_processor": ready_processor}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("work", type=Path)
    p.add_argument("--safelight", type=Path, default=compare.TESTS.parent / "build/safelight")
    p.add_argument("--model", type=Path, action="append")
    p.add_argument("--only", action="append", metavar="TEXT")
    p.add_argument("--runs", type=int, default=3)
    p.add_argument("--dtype", default="f32")
    p.add_argument("--side", type=int, default=512)
    p.add_argument("--warm", action="store_true")
    p.add_argument("--drop", action="store_true")
    args = p.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    print(f"{compare.processor()}, {args.side} x {args.side}, {args.dtype}, {args.runs} runs, load {os.getloadavg()[0]:.0f}")
    print("\n| model | read | step | ready | load | ratio | peak |\n|---|---|---|---|---|---|---|")
    for name, model in models_of(args).items():
        r = measure(args, model)
        print(f"| {name} | {r['read']:.2f} s | {r['step']:.2f} s ({r['step_processor']:.2f}) | {r['ready']:.2f} s ({r['ready_processor']:.2f}) "
              f"| {r['ready'] - r['step']:.2f} s ({r['ready_processor'] - r['step_processor']:.2f}), {r['load']:.1f} x | {r['ratio']:.2f} "
              f"| {r['peak'] / 2**30:.2f} GiB |", flush=True)


if __name__ == "__main__":
    main()

"""table.py WORK: tables (Markdown) of what tests/gpu/run has measured so far; what is missing is a dash."""
import json
import sys
from pathlib import Path

# The weights of the UNet in 16 bits, bytes; a decode's operations, multiplications and additions counted apart.
SHAPES = {"sd15": ("", "SD 1.5 shape, 512 x 512", 1.72e9, 2.5e12),
          "sdxl": ("-sdxl", "SDXL shape, 1024 x 1024", 5.14e9, 10.5e12)}


def read(work, name):
    file = work / f"{name}.json"
    try:
        return json.loads(file.read_text())
    except (OSError, ValueError):  # not measured, or broken off
        return {}


def cell(value, digits=2, scale=1.0):
    return f"{value * scale:.{digits}f}" if value else "-"


def row(name, values, digits=2, scale=1.0):
    print(f"| {name} | " + " | ".join(cell(v, digits, scale) for v in values) + " |")


def print_shape(work, shape, floor):
    suffix, title, weights, decode_flops = SHAPES[shape]
    ours, eager, compiled = (read(work, n + suffix) for n in ("ours-f16" if not suffix else "ours", "eager", "compiled"))
    half = read(work, "ours-bf16") if not suffix else {}
    columns = (ours, half, eager, compiled)
    if not any(columns):
        return
    rate, bandwidth = floor.get("flops", 0), floor.get("bytes", 0)
    step_floor = max(ours.get("step_gflop", 0) * 1e9 / rate, weights / bandwidth) * 1e3 if rate and bandwidth else 0
    decode_floor = decode_flops / rate * 1e3 if rate else 0
    versions = ", ".join(sorted({f"{c['whose']}, PyTorch {c['torch']}" for c in (eager, compiled) if c}))
    print(f"{title}, random weights, {floor.get('gpu', 'GPU not asked')}; PyTorch's modules are those of "
          f"{versions or '(not measured)'}; floor: {rate / 1e12:.0f} TFLOP/s of an 8192-cubed product, "
          f"{bandwidth / 1e12:.2f} TB/s of a copy\n")
    print("| | Safelight f16 | Safelight bf16 | PyTorch eager f16 | torch.compile f16 | floor |")
    print("|---|---|---|---|---|---|")

    def values(*keys, floor=0):
        return [next((c[k] for k in keys if c.get(k)), 0) for c in columns] + [floor]

    row("guided step, ms", values("step_ms", floor=step_floor))
    row("guided step while a picture is decoded beside it, ms", values("step_decoding_ms"))
    row("VAE decode to 8-bit pixels, ms", values("decode_ms", floor=decode_floor))
    row("instant preview, ms", values("preview_ms"), 3)
    row("instant preview at every step, % of the run",
        [100 * c["preview_ms"] / c["step_ms"] if c.get("preview_ms") and c.get("step_ms") else 0 for c in columns] + [0])
    row("start of a run to its first preview, ms", values("first_preview_ms"), 1)
    row("peak memory, GB", values("held_bytes", "peak_bytes", "device_bytes"), 2, 1e-9)
    for name, peer in (("PyTorch eager", eager), ("torch.compile", compiled)):
        if ours.get("step_ms") and peer.get("step_ms"):
            print(f"\nsteps per second beside {name}: {peer['step_ms'] / ours['step_ms']:.2f} times")
    print()


def lane_seconds(work, way):
    return sum(lane["seconds"] for lane in read(work, f"lanes-{way}").get("lanes", []))


def main():
    work = Path(sys.argv[1])
    floor = read(work, "floor")
    for shape in SHAPES:
        print_shape(work, shape, floor)
    each, fast = lane_seconds(work, "each"), lane_seconds(work, "fast")
    if each and fast:
        print(f"nine lanes: {each:.2f} s one by one, {fast:.2f} s as one batch, {each / fast:.2f} times")


if __name__ == "__main__":
    main()

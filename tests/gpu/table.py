"""table.py WORK: one table (Markdown) of what tests/gpu/run has measured so far; what is missing is a dash."""
import json
import sys
from pathlib import Path

# Multiply-adds as two operations, SD 1.5 at 512 x 512: a guided step, a decode; the weights of the UNet in 16 bits.
DECODE_FLOPS = 2.5e12
UNET_BYTES = 1.72e9


def read(work, name):
    file = work / f"{name}.json"
    return json.loads(file.read_text()) if file.exists() and file.stat().st_size else {}


def cell(value, digits=2, scale=1.0):
    return f"{value * scale:.{digits}f}" if value else "-"


def main():
    work = Path(sys.argv[1])
    ours, half, eager, compiled, floor = (read(work, n) for n in ("ours-f16", "ours-bf16", "eager", "compiled", "floor"))
    rate, bandwidth = floor.get("flops", 0), floor.get("bytes", 0)
    step_flops = ours.get("step_gflop", 0) * 1e9
    step_floor = max(step_flops / rate, UNET_BYTES / bandwidth) * 1e3 if rate and step_flops else 0
    decode_floor = DECODE_FLOPS / rate * 1e3 if rate else 0
    columns = (ours, half, eager, compiled)
    rows = [
        ("guided step, ms", [c.get("step_ms", 0) for c in columns] + [step_floor], 2, 1),
        ("guided step while a picture is decoded beside it, ms",
         [c.get("step_decoding_ms", 0) for c in columns] + [0], 2, 1),
        ("VAE decode to 8-bit pixels, ms", [c.get("decode_ms", 0) for c in columns] + [decode_floor], 2, 1),
        ("instant preview, ms", [c.get("preview_ms", 0) for c in columns] + [0], 3, 1),
        ("start of a run to its first preview, ms",
         [c.get("first_preview_ms", 0) for c in columns] + [0], 1, 1),
        ("peak memory, GB",
         [c.get("held_bytes", c.get("peak_bytes", 0)) for c in columns] + [0], 2, 1e-9),
    ]
    print(f"SD 1.5 shape, 512 x 512, random weights, {floor.get('gpu', 'no GPU')}; floor: "
          f"{rate / 1e12:.0f} TFLOP/s of an 8192-cubed product, {bandwidth / 1e12:.2f} TB/s of a copy\n")
    print("| | Safelight f16 | Safelight bf16 | PyTorch eager f16 | torch.compile f16 | floor |")
    print("|---|---|---|---|---|---|")
    for name, values, digits, scale in rows:
        print(f"| {name} | " + " | ".join(cell(v, digits, scale) for v in values) + " |")
    if ours.get("step_ms") and compiled.get("step_ms"):
        print(f"\nsteps per second beside torch.compile: {compiled['step_ms'] / ours['step_ms']:.2f} times")
    whose = eager.get("whose") or compiled.get("whose")
    if whose:
        print(f"PyTorch's modules are those of {whose}")


if __name__ == "__main__":
    main()

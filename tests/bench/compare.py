#!/usr/bin/env python3
"""Safelight beside diffusers and stable-diffusion.cpp: one run, one machine, the same shapes with random weights.

    compare.py WORK --safelight build/safelight [--sdcpp PATH/TO/sd-cli] [--only TEXT]... [--again] [--steps N] [--no-cancel]

WORK is a folder for the models (about 7 GB, with SDXL's 21 GB, made on the spot), stable-diffusion.cpp and the results. Every measurement is a
process of its own, one after the other, and is kept in WORK/results.json, so the script can be stopped and started again,
and be run in pieces: --only names a part of "CASE PEER" (--list prints them) and can be given again, --again measures what is there already.
At the end, and with --table alone, it prints the results as Markdown. Without --sdcpp, stable-diffusion.cpp is taken from
PyPI's source package of its Python binding and built with cmake for this processor.

The shortest run that compares large models as fairly: --steps 1 (every program warms up with a step, then one is timed) and --no-cancel
(the two runs of Safelight that are stopped), for SDXL without the compiled peers:

    compare.py WORK --steps 1 --no-cancel --only "sdxl-1024 safelight" --only "sdxl-1024 diffusers f32" --only "sdxl-1024 diffusers bf16"

Needs torch, diffusers, transformers and safetensors (tests/goldens/requirements.txt names the versions that we test with;
for a comparison take the current ones). A step is one guided evaluation of the UNet (a batch of two) with the scheduler's
step; medians, the first step not counted, but stable-diffusion.cpp reports only the mean over its steps.
"""
import argparse
import datetime
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
PROMPT = "a photograph of an astronaut riding a horse"
CASES = {"sd15-512": ("sd15", 512), "sd15-256": ("sd15", 256), "sd15-768": ("sd15", 768), "starter-128": ("starter", 128),
         "sdxl-1024": ("sdxl", 1024)}
PEERS = ["safelight f32", "safelight bf16", "safelight-f16-file f32", "diffusers f32", "diffusers bf16", "diffusers-compiled f32",
         "diffusers-compiled bf16", "stable-diffusion.cpp f16"]


# ---- the models ----

def unet_config(shape):
    if shape == "sd15":
        return {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8,
                "block_out_channels": (320, 640, 1280, 1280)}
    if shape == "sdxl":
        return {"sample_size": 128, "cross_attention_dim": 2048, "attention_head_dim": (5, 10, 20),
                "block_out_channels": (320, 640, 1280), "transformer_layers_per_block": (1, 2, 10),
                "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
                "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
                "use_linear_projection": True, "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
                "projection_class_embeddings_input_dim": 2816}
    return {"sample_size": 16, "in_channels": 8, "out_channels": 8, "block_out_channels": (64, 192), "layers_per_block": 1,
            "norm_num_groups": 16, "cross_attention_dim": 128, "attention_head_dim": 4,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D")}


def vae_config(shape):
    config = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    if shape in ("sd15", "sdxl"):
        return config | {"block_out_channels": (128, 256, 512, 512), "layers_per_block": 2,
                         "sample_size": 1024 if shape == "sdxl" else 512}
    return config | {"block_out_channels": (16, 32, 64, 96), "layers_per_block": 1, "latent_channels": 8,
                     "norm_num_groups": 8, "sample_size": 128}


def text_config(shape):
    if shape in ("sd15", "sdxl"):
        return {"vocab_size": 49408, "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
                "num_attention_heads": 12}
    return {"vocab_size": 49408, "hidden_size": 128, "intermediate_size": 512, "num_hidden_layers": 2,
            "num_attention_heads": 4, "projection_dim": 128}


# Stable Diffusion XL's second text encoder (OpenCLIP's bigG).
SECOND_TEXT = {"vocab_size": 49408, "hidden_size": 1280, "intermediate_size": 5120, "num_hidden_layers": 32,
               "num_attention_heads": 20, "projection_dim": 1280, "hidden_act": "gelu"}


def apart(work, what):
    """Makes something in a process of its own: what a process has held counts as its children's peak."""
    print(f"making {what}", file=sys.stderr)
    subprocess.run([sys.executable, __file__, work, "--make", what], check=True, stdout=sys.stderr)


def folder_of(work, shape):
    """A StableDiffusionPipeline folder in f32, made if it is not there."""
    if not (work / shape / "model_index.json").exists():
        apart(work, shape)
    return work / shape


def checkpoint_of(work, dtype="f16"):
    """The SD 1.5 shape as one file in the original layout."""
    folder_of(work, "sd15")
    target = work / f"sd15-{dtype}.safetensors"
    if not target.exists():
        apart(work, target.name)
    return target


def make_folder(work, shape):
    folder = work / shape
    import torch
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection
    torch.manual_seed(0)
    small = TESTS / "goldens/model" / ("sdxl" if shape == "sdxl" else "sd1")
    parts = ["scheduler", "tokenizer"]
    if shape == "sdxl":
        CLIPTextModelWithProjection(CLIPTextConfig(**SECOND_TEXT)).save_pretrained(folder / "text_encoder_2")
        parts.append("tokenizer_2")
    CLIPTextModel(CLIPTextConfig(**text_config(shape))).save_pretrained(folder / "text_encoder")
    AutoencoderKL(**vae_config(shape)).save_pretrained(folder / "vae")
    UNet2DConditionModel(**unet_config(shape)).save_pretrained(folder / "unet")
    for part in parts:
        shutil.copytree(small / part, folder / part, dirs_exist_ok=True)
    shutil.copy(small / "model_index.json", folder)


def make_checkpoint(work, target):
    import torch
    from safetensors.torch import load_file, save_file
    sys.path.insert(0, str(TESTS / "engine/files"))
    from make_checkpoint import unet_name, vae_name
    folder = work / "sd15"
    kind = torch.float16 if "f16" in target.name else torch.float32
    out = {}
    for name, t in load_file(folder / "unet/diffusion_pytorch_model.safetensors").items():
        out["model.diffusion_model." + unet_name(name, 2, {1, 2, 3})] = t.to(kind)
    for name, t in load_file(folder / "vae/diffusion_pytorch_model.safetensors").items():
        name = vae_name(name, 4)
        t = t.to(kind)
        out["first_stage_model." + name] = t[..., None, None] if "attn_1" in name and t.dim() == 2 else t
    for name, t in load_file(folder / "text_encoder/model.safetensors").items():
        out["cond_stage_model.transformer." + name] = t.to(kind)
    save_file(out, str(target) + ".part")
    os.rename(str(target) + ".part", target)


def files_of(model):
    return sorted(model.glob("*/*.safetensors")) if model.is_dir() else [model]


def read_all(model):
    """All weights of a folder or a file, one after the other into the same memory."""
    buffer = bytearray(16 << 20)
    for path in files_of(model):
        with open(path, "rb", buffering=0) as f:
            while f.readinto(buffer):
                pass


def plain_read(model):
    """Seconds that it takes, from the page cache."""
    for _ in range(2):
        start = time.monotonic()
        read_all(model)
        seconds = time.monotonic() - start
    return seconds


# ---- stable-diffusion.cpp ----

def build_sdcpp(work):
    root = work / "sdcpp"
    made = sorted(root.glob("*/vendor/stable-diffusion.cpp/build/bin/sd*"))
    made = [p for p in made if p.name in ("sd-cli", "sd")]
    if made:
        return made[0]
    root.mkdir(exist_ok=True)
    subprocess.run([sys.executable, "-m", "pip", "download", "--no-binary", ":all:", "--no-deps",
                    "stable-diffusion-cpp-python"], cwd=root, check=True, stdout=sys.stderr)
    shutil.unpack_archive(next(root.glob("*.tar.gz")), root, filter="data")
    source = next(root.glob("*/vendor/stable-diffusion.cpp"))
    subprocess.run(["cmake", "-B", "build", "-DCMAKE_BUILD_TYPE=Release", "-DSD_BUILD_EXAMPLES=ON", "-DGGML_NATIVE=ON"],
                   cwd=source, check=True, stdout=sys.stderr)
    subprocess.run(["cmake", "--build", "build", "-j", str(os.cpu_count())], cwd=source, check=True, stdout=sys.stderr)
    return build_sdcpp(work)


def version_of_sdcpp(program):
    for parent in program.resolve().parents:
        if (parent / "PKG-INFO").exists():
            return "stable-diffusion-cpp-python " + re.search(r"^Version: (.*)$", (parent / "PKG-INFO").read_text(), re.M)[1]
    out = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    return out.strip().splitlines()[0] if out.strip() else str(program)


def seconds_in(pattern, text):
    m = re.search(pattern + r"[^\n]*?taking ([\d.]+)\s*(ms|s)", text)
    return float(m[1]) / (1000 if m[2] == "ms" else 1) if m else None


def run_sdcpp(args, shape, side, dtype):
    program = Path(args.sdcpp) if args.sdcpp else build_sdcpp(args.work)
    command = [program, "-m", checkpoint_of(args.work), "-p", PROMPT, "--steps", str(args.steps), "--cfg-scale", "7.5",
               "--sampling-method", "euler", "-W", str(side), "-H", str(side), "--seed", "0", "-t", str(os.cpu_count()),
               "-o", args.work / "sdcpp.png", "-v"]
    text, peak = run_child(command)
    load = seconds_in("loading tensors completed", text) or seconds_in("loading model.*completed", text)
    sampling = seconds_in("sampling completed", text)
    if sampling is None:
        raise RuntimeError("no timings in its output:\n" + text[-2000:])
    return {"step": sampling / args.steps, "decode": seconds_in("decode_first_stage completed", text),
            "load": load, "peak": peak, "version": version_of_sdcpp(program)}


# ---- running ----

def run_child(command, **more):
    """Output and peak memory of a process that has to succeed."""
    with open("/dev/null") as nothing:
        child = subprocess.Popen([str(c) for c in command], stdin=nothing, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, errors="replace", **more)
    text = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {child.returncode}:\n{text[-3000:]}")
    return text, usage.ru_maxrss * 1024


def last_json(text):
    return json.loads(text[("\n" + text).rindex("\n{"):text.rindex("}") + 1])  # warnings may come before


def cancel_seconds(command, before, step):
    """From SIGINT in the middle of a step to the end of the process, the longer of two."""
    worst = 0
    for part in (0.3, 0.7):
        child = subprocess.Popen([str(c) for c in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(before + part * step)
        start = time.monotonic()
        child.send_signal(signal.SIGINT)
        if child.wait() != 130:
            return None  # it was through already
        worst = max(worst, time.monotonic() - start)
    return worst


def run_safelight(args, shape, side, dtype, model):
    command = [args.safelight, "bench", "--model", model, "--device", "cpu", "--dtype", dtype, "--width", str(side),
               "--height", str(side), "--json", "--quiet"]
    start = time.monotonic()
    text, peak = run_child(command + ["--steps", str(args.steps)])
    seconds = time.monotonic() - start
    b = last_json(text)
    step, load = b["step_ms"] / 1e3, b["load_ms"] / 1e3
    result = {"step": step, "decode": b["decode_ms"] / 1e3, "load": load, "peak": peak, "gflop": b["step_gflop"],
              "foreseen": b["device_bytes"], "version": b["device"]}
    if step > 0.3 and not args.no_cancel:  # loading, hashing and the prompt come before the steps, of which the first warms up
        ready = seconds - (args.steps + 1) * step - 2 * result["decode"]
        result["cancel"] = cancel_seconds(command + ["--steps", "50"], ready + step, step)
    return result


def run_diffusers(args, shape, side, dtype, compiled):
    folder_of(args.work, shape)
    command = [sys.executable, __file__, args.work, "--child", shape, str(side), dtype, "compiled" if compiled else "eager",
               "--steps", str(args.steps)]
    text, peak = run_child(command)
    return last_json(text) | {"peak": peak}


def touch_memory():
    """Gives every program the same memory to start with: a virtual machine may have lent its free pages to others, and
    getting them back has cost up to a second and more per gigabyte here. Until it gets no faster."""
    size = min(6 << 30, os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    before, seconds = float("inf"), 0
    for _ in range(5):
        start = time.monotonic()
        subprocess.run([sys.executable, "-c", f"b'x' * {size}"], check=False)
        before, seconds = seconds or before, time.monotonic() - start
        if seconds > before / 1.3:
            break


def measure(args, case, peer):
    shape, side = CASES[case]
    touch_memory()
    program, dtype = peer.split()
    if program == "safelight":
        return run_safelight(args, shape, side, dtype, folder_of(args.work, shape))
    if program == "safelight-f16-file":  # whose weights stay at two bytes, whatever is computed in
        return run_safelight(args, shape, side, dtype, checkpoint_of(args.work))
    if program == "stable-diffusion.cpp":
        return run_sdcpp(args, shape, side, dtype)
    return run_diffusers(args, shape, side, dtype, program == "diffusers-compiled")


# ---- diffusers, in a process of its own ----

def child(work, shape, side, dtype, mode, steps):
    import diffusers
    import torch
    from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTextModelWithProjection
    kind = {"f32": torch.float32, "bf16": torch.bfloat16}[dtype]
    folder = work / shape
    start = time.monotonic()
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=kind)
    vae = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=kind)
    text_encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", torch_dtype=kind)
    second = None
    if shape == "sdxl":
        second = CLIPTextModelWithProjection.from_pretrained(folder / "text_encoder_2", torch_dtype=kind)
    load = time.monotonic() - start
    unet, vae = (m.eval().to(memory_format=torch.channels_last) for m in (unet, vae))  # the faster one on processors
    decode = vae.decode
    if mode == "compiled":
        unet, decode = torch.compile(unet), torch.compile(vae.decode)
    scheduler = EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    scheduler.set_timesteps(steps + 1)
    times = []
    with torch.inference_mode():
        tokens, conditions = torch.zeros(2, 77, dtype=torch.long), {}
        text = text_encoder(tokens, output_hidden_states=True)
        text = text.hidden_states[-2] if second else text[0]
        if second:
            more = second(tokens, output_hidden_states=True)
            text = torch.cat([text, more.hidden_states[-2]], dim=-1)
            sizes = torch.tensor([[side, side, 0, 0, side, side]] * 2, dtype=kind)
            conditions["added_cond_kwargs"] = {"text_embeds": more[0], "time_ids": sizes}
        latents = torch.randn(1, unet.config.in_channels, side // 8, side // 8, dtype=kind) * scheduler.init_noise_sigma
        for t in scheduler.timesteps:
            start = time.monotonic()
            x = scheduler.scale_model_input(torch.cat([latents] * 2), t)
            uncond, cond = unet(x, t, encoder_hidden_states=text, **conditions).sample.chunk(2)
            latents = scheduler.step(uncond + 7.5 * (cond - uncond), t, latents).prev_sample
            times.append(time.monotonic() - start)
        for _ in range(2):
            start = time.monotonic()
            decode(latents / vae.config.scaling_factor)
            decoded = time.monotonic() - start
    print(json.dumps({"step": statistics.median(times[1:]), "decode": decoded, "load": load,
                      "version": f"PyTorch {torch.__version__}, diffusers {diffusers.__version__}"}))


# ---- the table ----

def processor():
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    name = re.search(r"model name\s*: (.*)", text)
    flags = re.search(r"flags\s*: (.*)", text)
    have = [f for f in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flags and f in flags[1].split()]
    return f"{os.cpu_count()} cores, {name[1] if name else platform.processor()} ({', '.join(have)})"


def number(value, digits=2):
    if value is None:
        return "-"
    return f"{value * 1e3:.1f} ms" if value < 0.1 else f"{value:.{digits}f} s"


def row(case, peer, r, ours, results):
    if "failed" in r:
        return f"| {case} | {peer} | did not run: {r['failed']} | | | | |"
    same = ours.get((case, "bf16" if peer.endswith("bf16") else "f32"))
    times = f" ({r['step'] / same['step']:.1f} x)" if same and not peer.startswith("safelight ") else ""
    decodes = f" ({r['decode'] / same['decode']:.1f} x)" if same and r["decode"] and not peer.startswith("safelight ") else ""
    ceiling = results.get("ceiling_gflops")
    if "gflop" in r and ceiling and peer == "safelight f32":
        times = f" ({r['gflop'] / r['step'] / ceiling * 100:.0f} % of the ceiling)"
    return (f"| {case} | {peer} | {number(r['step'])}{times} | {number(r['decode'])}{decodes} | {number(r['load'])} "
            f"| {r['peak'] / 2**30:.2f} GiB | {number(r.get('cancel'))} |")


def table(results):
    rows = results["measured"]
    ours = {(r["case"], r["peer"].split()[1]): r for r in rows if r["peer"].startswith("safelight ") and "failed" not in r}
    print(f"Measured {results.get('date', 'never')} on {processor()}, "
          f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB, {platform.system()} "
          f"{platform.release()}. Ceiling (multiply-adds in registers, f32): {results.get('ceiling_gflops', 0):.0f} GFLOP/s. "
          f"Plain read of the f32 weights of SD 1.5's shape: {number(results.get('plain_read'))}.")
    for version in sorted({r["version"] for r in rows if "version" in r}):
        print(f"- {version}")
    print("- The load of diffusers only maps the files; they are read in its first step.")
    print("\n| case | program | guided step (times ours) | VAE decode | load | peak memory | cancel |")
    print("|---|---|---|---|---|---|---|")
    for r in sorted(rows, key=lambda r: (list(CASES).index(r["case"]), PEERS.index(r["peer"]))):
        print(row(r["case"], r["peer"], r, ours, results))


# ---- the whole ----

def wanted(args):
    return [(case, peer) for case in CASES for peer in PEERS
            if (not args.only or any(text in f"{case} {peer}" for text in args.only))
            and (CASES[case][0] == "sd15" or not peer.startswith(("stable-diffusion.cpp", "safelight-f16")))  # a file has a famous shape
            and (case not in ("sd15-768", "sdxl-1024") or peer.startswith("safelight") or args.only)]  # minutes each


def ceiling(args):
    folder = folder_of(args.work, "starter")
    text, _ = run_child([args.safelight, "bench", "--model", folder, "--device", "cpu", "--dtype", "f32", "--steps", "1",
                         "--profile", "--json", "--quiet"])
    return last_json(text)["profile"]["ceiling_gflops"]


def save(path, results):
    path.with_suffix(".part").write_text(json.dumps(results, indent=1))
    path.with_suffix(".part").rename(path)


def run_all(args):
    path = args.work / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {"measured": []}
    for case, peer in [] if args.table else wanted(args):
        known = [r for r in results["measured"] if (r["case"], r["peer"]) == (case, peer)]
        if known and "failed" not in known[0] and not args.again:
            continue
        print(f"{case} {peer}", file=sys.stderr)
        try:
            r = measure(args, case, peer)
        except (RuntimeError, OSError, subprocess.CalledProcessError) as e:
            print(e, file=sys.stderr)
            r = {"failed": str(e).strip().splitlines()[-1][:100].replace("|", "/")}
        results["measured"] = [x for x in results["measured"] if x not in known] + [{"case": case, "peer": peer, **r}]
        results["date"] = datetime.date.today().isoformat()
        results["ceiling_gflops"] = max(results.get("ceiling_gflops", 0), ceiling(args))
        if "plain_read" not in results and (args.work / "sd15/model_index.json").exists():
            results["plain_read"] = plain_read(args.work / "sd15")
        save(path, results)
    table(results)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("work", type=Path)
    p.add_argument("--safelight", type=Path, default=TESTS.parent / "build/safelight")
    p.add_argument("--sdcpp", type=Path)
    p.add_argument("--only", action="append", metavar="TEXT")
    p.add_argument("--again", action="store_true")
    p.add_argument("--steps", type=int, default=3)
    p.add_argument("--no-cancel", action="store_true")
    p.add_argument("--list", action="store_true")
    p.add_argument("--table", action="store_true")
    p.add_argument("--make", help=argparse.SUPPRESS)
    p.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    args = p.parse_args()
    if args.child:
        shape, side, dtype, mode = args.child
        child(args.work, shape, int(side), dtype, mode, args.steps)
    elif args.make in ("sd15", "sdxl", "starter"):
        make_folder(args.work, args.make)
    elif args.make:
        make_checkpoint(args.work, args.work / args.make)
    elif args.list:
        print("\n".join(f"{case} {peer}" for case, peer in wanted(args)))
    else:
        args.work.mkdir(parents=True, exist_ok=True)
        run_all(args)


if __name__ == "__main__":
    main()

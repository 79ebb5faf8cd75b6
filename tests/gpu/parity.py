"""parity.py SAFELIGHT MODEL WORK [DTYPE...]: stages of `safelight generate --device cuda` against the same modules in
PyTorch f32, within the tolerances of docs/design.md (stated below). Exit status 1 when one is not met.
"""
import json
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import shapes

PROMPT = "a photograph of an astronaut riding a horse"
STEPS = 6
# text NMSE, UNet NMSE, VAE PSNR, whole picture PSNR
LIMITS = {"f32": (1e-8, 1e-8, 60, 50), "f16": (1e-5, 1e-5, 50, 35), "bf16": (1e-4, 1e-3, 38, 20)}


def nmse(a, b):
    return float(((a - b) ** 2).sum() / (b ** 2).sum())


def psnr(a, b):
    return float(-10 * torch.log10(((a - b) ** 2).mean() + 1e-20))


def tokenize(safelight, model, text):
    line = subprocess.run([safelight, "tokenize", "--model", model, text], check=True, capture_output=True, text=True)
    ids = [int(word) for word in line.stdout.split()]
    return torch.tensor([ids + ids[-1:] * (shapes.PROMPT_TOKENS - len(ids))])


def generate(safelight, model, work, dtype, guidance):
    dump = work / f"{dtype}-{guidance}.safetensors"
    subprocess.run([safelight, "generate", "--model", model, "--device", "cuda", "--dtype", dtype, "--prompt", PROMPT,
                    "--scheduler", "euler", "--steps", str(STEPS), "--guidance", str(guidance), "--latents",
                    work / "noise.safetensors", "--dump", dump, "--output", work / f"{dtype}.png", "--quiet"],
                   check=True)
    return {k: v.float().cuda() for k, v in load_file(dump).items()}


class Reference:
    def __init__(self, safelight, model):
        self.models = {k: m.cuda() for k, m in shapes.make_models(shapes.SHAPES["sd15"]).items()}
        ids = [tokenize(safelight, model, text).cuda() for text in ("", PROMPT)]
        self.text = torch.cat([self.models["text_encoder"](i) for i in ids])

    def epsilon(self, sample, sigma, t, guidance):
        x = sample / (sigma ** 2 + 1) ** 0.5
        text = self.text if guidance > 1 else self.text[1:]
        x = x.expand(len(text), -1, -1, -1)
        out = self.models["unet"](x, torch.full((len(text),), float(t), device="cuda"), text)
        return out[:1] + guidance * (out[1:] - out[:1]) if guidance > 1 else out

    def decode(self, latents):
        return (self.models["vae"].decode(latents) / 2 + 0.5).clamp(0, 1)[0]

    def picture(self, noise, sigmas, timesteps, guidance):
        x = noise * float((sigmas[0] ** 2 + 1) ** 0.5)
        for i in range(STEPS):
            x = x + self.epsilon(x, sigmas[i], timesteps[i], guidance) * (sigmas[i + 1] - sigmas[i])
        return self.decode(x)


def stages(reference, run, noise):
    """NMSE of the text and of every evaluation (each from the sample that the run itself had), PSNR of the decode."""
    sigmas, timesteps = run["sigmas"], run["timesteps"]
    sample = noise * float((sigmas[0] ** 2 + 1) ** 0.5)
    worst = 0.0
    for i in range(STEPS):
        wanted = reference.epsilon(sample, sigmas[i], timesteps[i], 1)
        got = (sample - run[f"x0.{i}"].reshape(sample.shape)) / sigmas[i]
        worst = max(worst, nmse(got, wanted))
        sample = run[f"latents.{i}"].reshape(sample.shape)
    text = reference.text[1:]
    return nmse(run["text_embeddings"][-1:], text), worst, psnr(run["image"], reference.decode(sample))


def main():
    safelight, model, work = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.set_grad_enabled(False)
    noise = torch.randn(1, 4, 64, 64, generator=torch.Generator().manual_seed(0))
    save_file({"latents": noise}, work / "noise.safetensors")
    reference, results, ok = Reference(safelight, model), {}, True
    for dtype in sys.argv[4:] or LIMITS:
        text, unet, vae = stages(reference, generate(safelight, model, work, dtype, 1), noise.cuda())
        run = generate(safelight, model, work, dtype, 7.5)
        whole = psnr(run["image"], reference.picture(noise.cuda(), run["sigmas"], run["timesteps"], 7.5))
        limits = LIMITS[dtype]
        good = text <= limits[0] and unet <= limits[1] and vae >= limits[2] and whole >= limits[3]
        print(f"{'ok' if good else 'NOT ok'}: {dtype}: text NMSE {text:.1e} (at most {limits[0]:.0e}), UNet NMSE {unet:.1e} "
              f"({limits[1]:.0e}), decode PSNR {vae:.1f} dB (at least {limits[2]}), picture {whole:.1f} dB ({limits[3]})")
        results[dtype] = {"text": text, "unet": unet, "vae": vae, "picture": whole, "ok": good}
        ok = ok and good
    (work / "parity.json").write_text(json.dumps(results))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())

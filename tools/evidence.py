"""Record evidence: run every fixture with several releases of torch and write evidence/torch-<version>.json.

python tools/evidence.py                           the releases below
python tools/evidence.py 2.2.2=1.26.4@python3.11   torch 2.2.2 with NumPy 1.26.4 under this interpreter
python tools/evidence.py --device all newest       also on the accelerators of this machine

Run by hand. Each release gets a virtual environment in --venvs (some gigabytes each; kept, and used again the next
time) with torch and NumPy only: tensorlint itself runs under the interpreter that runs this script.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: The oldest release that is supported, the last of NumPy 1, the one that is tested with, and the newest.
DEFAULT = ("1.13.1=1.24.4@python3.10", "2.2.2=1.26.4@python3.11", "2.13.0", "newest")


@dataclass(frozen=True)
class Release:
    torch: str
    numpy: str
    python: str

    @classmethod
    def parse(cls, text: str) -> Release:
        versions, _, python = text.partition("@")
        torch, _, numpy = versions.partition("=")
        return cls(torch, numpy, python or sys.executable)

    def requirements(self) -> list[str]:
        torch = "torch" if self.torch == "newest" else f"torch=={self.torch}"
        return [torch, f"numpy=={self.numpy}" if self.numpy else "numpy"]


def interpreter(release: Release, venvs: Path) -> Path:
    """The interpreter of the release's virtual environment, made when it is not there."""
    folder = venvs / f"torch-{release.torch}"
    python = folder / "bin" / "python"
    if not python.exists():
        base = shutil.which(release.python)
        if base is None:
            raise SystemExit(f"torch {release.torch} needs {release.python}, which is not on the path")
        subprocess.run([base, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", *release.requirements()], check=True)
    return python


def record(release: Release, venvs: Path, devices: list[str]) -> int:
    python = interpreter(release, venvs)
    asked = "import torch; print(torch.__version__.partition('+')[0])"
    version = subprocess.run([str(python), "-c", asked], check=True, capture_output=True, text=True).stdout.strip()
    real = [device for device in devices if device not in {"cpu", "sim"}]
    name = "-".join(["torch", version, *real])
    target = ROOT / "evidence" / f"{name}.json"
    target.parent.mkdir(exist_ok=True)
    options = [part for device in devices for part in ("--device", device)]
    command = [sys.executable, "-m", "tensorlint", "verify", "--python", str(python), "--record", str(target), *options]
    print(f"== {name}", flush=True)
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("releases", nargs="*", default=DEFAULT, metavar="TORCH[=NUMPY][@PYTHON]")
    parser.add_argument("--venvs", type=Path, default=Path.home() / ".cache" / "tensorlint" / "evidence")
    parser.add_argument("--device", action="append", choices=["cpu", "sim", "cuda", "mps", "all"])
    options = parser.parse_args()
    devices = options.device or ["cpu", "sim"]
    codes = [record(Release.parse(text), options.venvs, devices) for text in options.releases]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())

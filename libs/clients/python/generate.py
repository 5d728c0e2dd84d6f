"""Writes the Python code of the contracts to src/ryggrad/contracts; hatchling runs it before it packs anything.

Run by hand (`python generate.py`) it does the same for working on the source. The code is not kept in the repository:
the contracts are its only source.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
CONTRACTS = HERE.parent.parent.parent / "proto"
TARGET = HERE / "src" / "ryggrad" / "contracts"

# Python has a module `io` of its own, and `ryggrad` is ours: everything moves into one package.
MOVES = {"ryggrad": Path(), "io/cloudevents": Path("cloudevents")}
IMPORTS = [
    (re.compile(r"^(from|import) ryggrad\.", re.MULTILINE), r"\1 ryggrad.contracts."),
    (re.compile(r"^(from|import) io\.cloudevents", re.MULTILINE), r"\1 ryggrad.contracts.cloudevents"),
]


def generate() -> None:
    """Generates everything anew; a file of a contract that is gone is gone too."""
    import grpc_tools
    from grpc_tools import protoc

    sources = sorted(str(path.relative_to(CONTRACTS)) for path in CONTRACTS.rglob("*.proto"))
    own = [source for source in sources if not source.startswith("google/")]
    well_known = Path(grpc_tools.__file__).parent / "_proto"
    with tempfile.TemporaryDirectory() as folder:
        arguments = [f"--{kind}_out={folder}" for kind in ("python", "pyi", "grpc_python")]
        if protoc.main(["protoc", f"-I{CONTRACTS}", f"-I{well_known}", *arguments, *own]) != 0:
            raise SystemExit("the contracts cannot be compiled")
        shutil.rmtree(TARGET, ignore_errors=True)
        for source, target in MOVES.items():
            shutil.copytree(Path(folder) / source, TARGET / target, dirs_exist_ok=True)
    for path in TARGET.rglob("*.py*"):
        text = path.read_text(encoding="utf-8")
        for pattern, replacement in IMPORTS:
            text = pattern.sub(replacement, text)
        path.write_text(text, encoding="utf-8")
    # Folders without one are no packages to whoever looks for all of them.
    for versioned in {TARGET, *(path.parent for path in TARGET.rglob("*_pb2.py"))}:
        for package in {versioned, versioned.parent} - {TARGET.parent}:
            (package / "__init__.py").write_text('"""The contracts, generated."""\n', encoding="utf-8")


class Contracts(BuildHookInterface[Any]):
    """Generates the contracts, where they are: a source distribution has the generated code instead."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Runs before a wheel, an editable install or a source distribution is made."""
        if CONTRACTS.is_dir():
            generate()
        elif not TARGET.is_dir():
            raise SystemExit(f"neither {CONTRACTS} nor {TARGET} is there")


if __name__ == "__main__":
    generate()

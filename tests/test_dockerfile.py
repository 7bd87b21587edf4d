"""The image: what its recipe names exists, fits the package, and runs without more rights than it needs."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

tomllib = pytest.importorskip("tomllib", reason="reads pyproject.toml; Python 3.11 and later")

ROOT = Path(__file__).resolve().parents[1]


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions with their arguments, lines joined."""
    lines = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    found = []
    for line in joined.splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            found.append((word, rest.strip()))
    return found


def arguments(word: str) -> list[str]:
    return [rest for name, rest in instructions() if name == word]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return found


@pytest.fixture(scope="module")
def pinned() -> dict[str, Version]:
    lines = (ROOT / "docker" / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def extras() -> list[str]:
    found = re.search(r"voicelip-\*\.whl\)\[([a-z0-9,-]+)\]", " ".join(arguments("RUN")))
    assert found is not None
    return found.group(1).split(",")


def test_only_known_instructions_are_used() -> None:
    known = {"FROM", "WORKDIR", "RUN", "COPY", "ARG", "USER", "ENV", "VOLUME", "ENTRYPOINT", "CMD"}
    assert {name for name, _ in instructions()} <= known
    for command in arguments("RUN"):
        assert shlex.split(command)


def test_the_base_is_pinned_and_of_a_python_that_the_package_supports(project: dict[str, Any]) -> None:
    supported = Requirement(f"python{project['requires-python']}").specifier
    for base in arguments("FROM"):
        version = re.fullmatch(r"python:(\d+\.\d+\.\d+)-slim-\w+(?: AS \w+)?", base)
        assert version is not None, base
        assert Version(version.group(1)) in supported


def test_it_runs_as_a_user_without_rights_and_holds_no_secrets() -> None:
    assert arguments("USER")[-1] not in ("root", "0")
    after = [name for name, _ in instructions()]
    assert "RUN" not in after[len(after) - after[::-1].index("USER") :]
    named = " ".join(arguments("ENV") + arguments("ARG")).upper()
    assert not re.search(r"PASSWORD|SECRET|TOKEN|API_?KEY|VOICELIP_KEY", named)


def test_what_is_copied_is_there_and_not_kept_out() -> None:
    let_in = (ROOT / ".dockerignore").read_text().splitlines()
    for rest in arguments("COPY"):
        words = rest.split()
        if words[0].startswith("--from"):
            continue
        for source in words[:-1]:
            assert (ROOT / source).exists(), source
            assert f"!{source.split('/')[0]}" in let_in


def test_what_it_installs_is_what_the_package_asks_for(
    project: dict[str, Any], pinned: dict[str, Version]
) -> None:
    wanted = [*project["dependencies"]]
    for extra in extras():
        wanted += project["optional-dependencies"][extra]
    for requirement in map(Requirement, wanted):
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name} is not pinned"
        assert pinned[name] in requirement.specifier, f"{name} {pinned[name]}"


def test_it_starts_the_command_that_the_package_installs(project: dict[str, Any]) -> None:
    assert arguments("ENTRYPOINT") == ['["voicelip"]']
    assert "voicelip" in project["scripts"]

"""The command line that all trainings share."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from voicelip.errors import VoicelipError
from voicelip.training.clips import PreparedClips
from voicelip.training.config import RunConfig, load_config

CONFIGS = Path(__file__).parent / "configs"

Config = TypeVar("Config", bound=RunConfig)
Train = Callable[[Config, PreparedClips, PreparedClips, argparse.Namespace], object]


def parser(description: str | None, config: str) -> argparse.ArgumentParser:
    """Folders to learn from, one held out, one for the run; settings from `configs/` and `--set`."""
    made = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    made.add_argument("train", type=Path, nargs="+", help="prepared folders to learn from")
    made.add_argument("held_out", type=Path, help="a prepared folder to judge by")
    made.add_argument("out", type=Path, help="folder of the run; resumed if it holds one")
    made.add_argument("--config", type=Path, default=CONFIGS / config, help="YAML (%(default)s)")
    made.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="overrides the config")
    return made


def run(made: argparse.ArgumentParser, kind: type[Config], train: Train[Config]) -> None:
    """Read the command line and train; an error ends with its one line."""
    arguments = made.parse_args()
    try:
        config = load_config(kind, arguments.config, arguments.set)
        arguments.out.mkdir(parents=True, exist_ok=True)
        folders = PreparedClips.join([PreparedClips.open(folder) for folder in arguments.train])
        train(config, folders, PreparedClips.open(arguments.held_out), arguments)
    except (VoicelipError, OSError) as error:
        sys.exit(f"{Path(sys.argv[0]).stem}: {error}")

"""Make pretrained/kokoro_voices.npz: the 54 Kokoro voices, compressed, with their speaker embeddings.

The voices (Apache-2.0, hexgrad/Kokoro-82M) come from the npm package kokoro-js:

    npm pack kokoro-js@1.2.1 && tar xzf kokoro-js-1.2.1.tgz
    python recipes/build_stock_voices.py package/voices

The tables are factorised and saved; with them every voice speaks a few sentences, whose GE2E embedding is
saved as well. About ten minutes on two cores.
"""

import argparse
from pathlib import Path

import numpy as np

RANK = 6
SPOKEN = (
    "The morning train was late again, so we walked along the river. Nobody expected the old machine to work!"
)
TARGET = Path(__file__).resolve().parent.parent / "pretrained" / "kokoro_voices.npz"


def factorise(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(510, 256) → mean (256,), rows (R, 256), curves (510, R); curves and rows share the scale."""
    mean = table.mean(0)
    left, values, right = np.linalg.svd(table - mean, full_matrices=False)
    scale = np.sqrt(values[:RANK])
    return mean, scale[:, None] * right[:RANK], left[:, :RANK] * scale


def residual(table: np.ndarray, mean: np.ndarray, rows: np.ndarray, curves: np.ndarray) -> float:
    """Share of the within-voice variance that float16 factors lose."""
    half = [part.astype(np.float16).astype(np.float32) for part in (mean, rows, curves)]
    lost = table - (half[0] + half[2] @ half[1])
    return float((lost**2).sum() / ((table - table.mean(0)) ** 2).sum())


def save(names: list[str], parts: list[tuple[np.ndarray, ...]], embeddings: np.ndarray) -> None:
    means, rows, curves = (np.stack(column).astype(np.float16) for column in zip(*parts, strict=True))
    TARGET.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        TARGET,
        names=np.array(names),
        means=means,
        rows=rows,
        curves=curves,
        embeddings=embeddings.astype(np.float16),
        licence=np.array("Apache-2.0; derived from the voices of hexgrad/Kokoro-82M"),
    )


def speaker_embedding(name: str) -> np.ndarray:
    from voicelip.speech import Voice, load_engine
    from voicelip.speech.encoder import embed

    engine = load_engine("kokoro")
    voice = Voice(name, ((name, 1.0),))
    return embed(engine.synthesize(SPOKEN, voice, "en-us").audio)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("voices", type=Path, help="folder of NAME.bin, (510, 1, 256) float32 each")
    files = sorted(parser.parse_args().voices.glob("*.bin"))
    names = [file.stem for file in files]
    tables = [np.fromfile(file, np.float32).reshape(510, 256) for file in files]
    parts = [factorise(table) for table in tables]
    losses = [residual(table, *part) for table, part in zip(tables, parts, strict=True)]
    print(f"{len(names)} voices, variance lost: mean {np.mean(losses):.1e}, worst {max(losses):.1e}")
    save(names, parts, np.zeros((len(names), 256)))
    embeddings = np.zeros((len(names), 256), np.float32)
    for i, name in enumerate(names):
        embeddings[i] = speaker_embedding(name)
        print(f"{i + 1}/{len(names)} {name}", flush=True)
    save(names, parts, embeddings)
    print(f"{TARGET.name}: {TARGET.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()

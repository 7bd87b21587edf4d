"""Make pretrained/voice_mapper.safetensors: from a speaker's embeddings to a style, for one-shot cloning.

    python -m recipes.train_voice_mapper generate work/pairs --voices 1000
    python -m recipes.train_voice_mapper train work/pairs path/to/one_each voice_mapper.safetensors

`generate` lets invented voices speak, about a processor second each (twice that without bfloat16); stop it at
any time and run it again. `train` also takes a folder with a recording of each of many people, such as the
speakers of LibriSpeech (https://www.openslr.org/12, CC BY 4.0): those to --skip are to be measured with.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from voicelip.errors import VoicelipError
from voicelip.training import voice_mapper, voice_pairs
from voicelip.training.voice_mapper import MapperConfig


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    tasks = parser.add_subparsers(dest="task", required=True)
    generate = tasks.add_parser("generate", help="let invented voices speak")
    generate.add_argument("pairs", type=Path, help="folder of shards")
    generate.add_argument("--voices", type=int, default=1000, help="how many there are to be (%(default)s)")
    train = tasks.add_parser("train", help="learn from them")
    train.add_argument("pairs", type=Path, help="folder of shards")
    train.add_argument("people", type=Path, help="folder of recordings, one of each person")
    train.add_argument("out", type=Path, help="the network's file")
    train.add_argument("--skip", nargs="*", default=[], metavar="NAME", help="people to leave out")
    train.add_argument("--seed", type=int, default=0, help="of chance (%(default)s)")
    arguments = parser.parse_args()
    try:
        if arguments.task == "generate":
            voice_pairs.generate(arguments.pairs, arguments.voices, lambda n: print(n, "voices", flush=True))
        else:
            learn(arguments)
    except (VoicelipError, OSError) as error:
        sys.exit(f"train_voice_mapper: {error}")


def learn(arguments: argparse.Namespace) -> None:
    config = replace(MapperConfig(), seed=arguments.seed)
    space = voice_mapper.Space(config.coordinates)
    pairs = voice_pairs.read_pairs(arguments.pairs)
    people = voice_mapper.describe_people(arguments.people, tuple(arguments.skip))
    print(f"{len(pairs.styles)} invented voices, {len(people.windows)} people", flush=True)
    heard = voice_mapper.hear(pairs, people, config, space)
    mapper, scores = voice_mapper.train(heard, people, config)
    facts = {
        "licence": "Apache-2.0; styles derived from the voices of hexgrad/Kokoro-82M",
        "invented_voices": len(pairs.styles),
        "people": len(people.windows),
        **scores,
    }
    voice_mapper.save_mapper(mapper, space, arguments.out, facts)
    print(f"{arguments.out.name}: {arguments.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()

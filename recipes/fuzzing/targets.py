"""All entries that take files of strangers."""

from recipes.fuzzing import dub_files, media_files, people_files, text_files, trust_files
from recipes.fuzzing.target import Target


def targets() -> dict[str, Target]:
    """By name."""
    rooms = (media_files, trust_files, people_files, text_files, dub_files)
    return {target.name: target for room in rooms for target in room.targets()}

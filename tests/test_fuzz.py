"""Spoilt files: the answer is a result or one line. `python -m recipes.fuzz` tries more."""

import pytest

from recipes.fuzzing.attempts import empty_home, run
from recipes.fuzzing.targets import Target, targets

_PROCESSES = {"lipsync", "consent record"}  # costly: left to the recipe


@pytest.mark.parametrize("name", sorted(targets().keys() - _PROCESSES))
def test_spoilt_files_are_read_or_refused(name, tmp_path, monkeypatch):
    monkeypatch.setenv("VOICELIP_HOME", str(empty_home(tmp_path)))
    target, work = targets()[name], tmp_path / "work"
    work.mkdir()
    for file, content in target.seeds(work).items():
        (work / file).write_bytes(content)
        target.call(work / file)  # a good file is read
    tally = run(target, 25, 1, work, tmp_path)
    assert tally.failures == {}
    assert tally.tried >= 25
    assert tally.refused or name in ("verify", "face track")  # these answer to anything


def test_a_place_that_breaks_is_found(tmp_path):
    """The search itself: a reader that trips over one value of a byte is caught, and the file is kept."""

    def read(path):
        if b"\xff" in path.read_bytes():
            raise IndexError("tripped")

    target = Target("frail", lambda folder: {"a.bin": bytes(100)}, read)
    (tmp_path / "work").mkdir()
    tally = run(target, 200, 1, tmp_path / "work", tmp_path)
    (what, kept), *_ = tally.failures.items()
    assert "tripped" in what
    assert b"\xff" in (tmp_path / kept).read_bytes()

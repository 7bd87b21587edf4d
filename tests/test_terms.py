"""Models under terms of their own are loaded only after these were accepted, explicitly and once."""

from pathlib import Path

import pytest

from voicelip import terms
from voicelip.errors import TermsError, UnknownNameError


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("VOICELIP_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VOICELIP_ACCEPT", raising=False)
    return tmp_path / "home"


def test_unaccepted_terms_are_shown_with_the_way_to_accept_them() -> None:
    with pytest.raises(TermsError) as caught:
        terms.require("wav2lip")
    for said in ("research", "LRS2", "github.com/Rudrabha/Wav2Lip", "voicelip models accept wav2lip"):
        assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_accepted_terms_stay_accepted_and_nothing_else_is() -> None:
    terms.accept("wav2lip")
    terms.require("wav2lip")
    assert terms.accepted_on("wav2lip").startswith("20")
    with pytest.raises(TermsError):
        terms.require("xtts-v2")


def test_the_environment_accepts_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOICELIP_ACCEPT", "wav2lip-gan, xtts-v2")
    terms.require("xtts-v2")
    with pytest.raises(TermsError):
        terms.require("wav2lip")


def test_a_damaged_record_accepts_nothing(home: Path) -> None:
    terms.accept("xtts-v2")
    next(home.iterdir()).write_text("{")
    with pytest.raises(TermsError):
        terms.require("xtts-v2")


def test_models_without_terms_pass_and_cannot_be_accepted() -> None:
    terms.require("kokoro")
    with pytest.raises(UnknownNameError, match="xtts-v2"):
        terms.accept("kokoro")

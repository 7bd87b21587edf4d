"""For all tests: consent records, their key and their log are the tests' own, never the user's."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicelip.trust import consent_key, consent_store

# recipes/ is not part of the installed package; at the end, so that what is installed is what is tested.
sys.path.append(str(Path(__file__).parents[1]))


@pytest.fixture(autouse=True, scope="module")
def consents_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("consents")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(consent_key, "folder", lambda: folder / "keys")
        patch.setattr(consent_store, "folder", lambda: folder / "consents")
        yield

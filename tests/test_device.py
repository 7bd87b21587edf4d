"""The device and its precision are decided once; one that is not there is refused."""

import pytest
import torch

from voicelip.device import CPU, choose
from voicelip.errors import OptionError


def test_without_a_gpu_everything_is_full_precision_on_the_cpu() -> None:
    assert choose("cpu") == CPU
    assert CPU.dtype == torch.float32
    if not torch.cuda.is_available():
        assert choose() == CPU


def test_a_gpu_that_is_there_is_taken_with_half_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose().name == "cuda"
    assert choose("cuda:0").dtype == torch.float16
    with pytest.raises(OptionError, match="torch sees 1"):
        choose("cuda:1")


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cpu:1", ""])
def test_unknown_devices_are_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(OptionError, match="choose auto, cpu, cuda"):
        choose(name)

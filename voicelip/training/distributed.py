"""Several processes that train one network: started by `torchrun`, or one alone."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from voicelip.errors import OptionError


@dataclass(frozen=True)
class Ranks:
    """This process among `count`; the first one evaluates, speaks and saves."""

    rank: int
    count: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    def share(self, network: nn.Module) -> nn.Module:
        """`network` with gradients that are the mean over all processes."""
        if self.count == 1:
            return network
        places = [self.device] if self.device.type == "cuda" else None
        # Norms keep their own running figures: those of the first process are saved.
        return DistributedDataParallel(network, device_ids=places, broadcast_buffers=False)

    def gather(self, value: Any) -> list[Any]:
        """The `value` of every process, by rank."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        dist.all_gather_object(values, value)
        return values


def without_exchange(network: nn.Module) -> AbstractContextManager[None]:
    """Keep gradients to this process: the step goes on with another piece of the batch."""
    return network.no_sync() if isinstance(network, DistributedDataParallel) else nullcontext()


@contextmanager
def joined(device: str = "auto") -> Iterator[Ranks]:
    """Join the processes that `torchrun` started; without it, be the only one."""
    count, local = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("LOCAL_RANK", "0"))
    place = _place(device, local)
    if count == 1:
        yield Ranks(0, 1, place)
        return
    dist.init_process_group("nccl" if place.type == "cuda" else "gloo")
    try:
        yield Ranks(dist.get_rank(), count, place)
    finally:
        dist.destroy_process_group()


def _place(device: str, local: int) -> torch.device:
    has_gpu = torch.cuda.is_available()
    if device == "auto":
        device = "cuda" if has_gpu else "cpu"
    if device == "cuda":
        if not has_gpu:
            raise OptionError("device: no GPU that PyTorch can use; set device=cpu")
        torch.cuda.set_device(local)
        return torch.device("cuda", local)
    if device != "cpu":
        raise OptionError(f"device: {device!r} is none of auto, cpu, cuda")
    return torch.device("cpu")

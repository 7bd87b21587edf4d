"""The published int8 graph made quick: rewritten and optimised once, then kept beside it.

The kept file is trusted as the published one is, by a stamp of its size and modification time; the stamp also
says from what and by what it was made.
"""

import contextlib
import functools
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from voicelip.speech import onnx_write
from voicelip.speech.onnx_products import as_products
from voicelip.speech.onnx_tap import with_outputs

VERSION = 1  # of what is done here


def quick_graph(published: Path, sha256: str, outputs: Sequence[str]) -> Path | bytes:
    """The graph of the file `published`, which hands out the inner values `outputs` too, for `session`.

    Where the folder cannot keep it, it is made anew each time.
    """
    import onnxruntime

    quick = published.with_name("quick.onnx")
    origin = [sha256, VERSION, *outputs, onnxruntime.__version__, signed_products_are_exact()]
    if _is_stamped(quick, origin):
        return quick
    model = published.read_bytes()
    if signed_products_are_exact():
        model = as_products(model)
    model = with_outputs(model, outputs)
    with contextlib.suppress(OSError):
        _keep(model, quick, origin)
        shutil.copymode(published, quick)
        return quick
    return model


def options() -> Any:
    """How the graph runs; the one that is kept needs no more optimising."""
    import onnxruntime

    chosen = onnxruntime.SessionOptions()
    # One thread per run: measured faster than two, and utterances run side by side instead.
    chosen.intra_op_num_threads = 1
    chosen.inter_op_num_threads = 1
    # Utterances differ in length, so remembered memory patterns never fit again.
    chosen.enable_mem_pattern = False
    chosen.log_severity_level = 3
    # Beyond it are layouts of one processor, and the kept graph may be read by another.
    chosen.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    return chosen


def session(source: Path | bytes, chosen: Any) -> Any:
    """An onnxruntime session of what `quick_graph` gave."""
    import onnxruntime

    if isinstance(source, Path):
        chosen.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    graph = str(source) if isinstance(source, Path) else source
    return onnxruntime.InferenceSession(graph, chosen, providers=["CPUExecutionProvider"])


@functools.cache
def signed_products_are_exact() -> bool:
    """Whether this processor adds up products of unsigned and signed bytes without loss.

    Before the instructions made for that, sums of two products were held in 16 bits, which is too few.
    """
    weights = onnx_write.tensor("weights", np.full((256, 16), 127, np.int8))
    product = onnx_write.node("MatMulInteger", ["values", "weights"], "sums")
    model = onnx_write.model([product, weights], ("values", np.uint8), ("sums", np.int32))
    sums = session(model, options()).run(None, {"values": np.full((8, 256), 255, np.uint8)})[0]
    return bool((sums == 255 * 127 * 256).all())


def _keep(model: bytes, quick: Path, origin: Sequence[Any]) -> None:
    """Optimise and write; OSError where there is no room or no right to."""
    if shutil.disk_usage(quick.parent).free < 2 * len(model):
        raise OSError("no room")
    handle, name = tempfile.mkstemp(".tmp", "quick-", quick.parent)
    os.close(handle)
    written = Path(name)
    try:
        chosen = options()
        chosen.optimized_model_filepath = name
        session(model, chosen)
        os.replace(written, quick)
        _stamp(quick).write_text(json.dumps(_facts(quick, origin)))
    finally:
        written.unlink(missing_ok=True)


def _stamp(quick: Path) -> Path:
    return quick.with_suffix(".json")


def _facts(quick: Path, origin: Sequence[Any]) -> list[Any]:
    found = quick.stat()
    return [*origin, found.st_size, found.st_mtime_ns]


def _is_stamped(quick: Path, origin: Sequence[Any]) -> bool:
    try:
        return json.loads(_stamp(quick).read_text()) == _facts(quick, origin)
    except (OSError, ValueError):
        return False

"""The decoder's weights out of the int8 ONNX graph, as float32 and by the names of its PyTorch modules."""

import numpy as np

from voicelip.speech.onnx_file import Graph

DECODER = "decoder.decoder."


def decoder_weights(graph: Graph) -> dict[str, np.ndarray]:
    """float32 weights by module path, such as `generator.ups.0.weight`."""
    weights = {
        name.removeprefix(DECODER): array
        for name, array in graph.initializers.items()
        if name.startswith(DECODER) and array.dtype == np.float32 and not name.endswith("_scale")
    }
    for node in graph.nodes.values():
        if not node.name.startswith("/decoder/decoder/"):
            continue
        module = node.name.removeprefix("/decoder/decoder/").replace("/", ".")
        module = module.replace("asr_res.asr_res.0", "asr_res.0")
        kind = module.rsplit(".", 1)[-1]
        path = module.rsplit(".", 1)[0]
        if kind == "Conv_quant":
            weights[f"{path}.weight"] = _dequantised(graph, node.inputs[1], node.inputs[3])
        elif kind in ("Conv", "ConvTranspose") and node.inputs[1] in graph.initializers:
            weights[f"{path}.weight"] = graph.initializers[node.inputs[1]]
        elif kind == "Gemm_MatMul_quant":
            weights[f"{path}.weight"] = _dequantised(graph, node.inputs[1], node.inputs[3]).T
        elif node.name.endswith("m_source/l_linear/MatMul"):
            weights[f"{path}.weight"] = graph.initializers[node.inputs[1]].T
    return {name: np.ascontiguousarray(array) for name, array in weights.items()}


def _dequantised(graph: Graph, name: str, zero_point: str) -> np.ndarray:
    quantised = graph.initializers[name].astype(np.float32)
    scale = graph.initializers[name.removesuffix("_quantized") + "_scale"]
    return (quantised - graph.initializers[zero_point].astype(np.float32)) * scale

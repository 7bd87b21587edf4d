"""Triangles to samples: a z-buffer with perspective-correct barycentric coordinates."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def _span(edge: float, slope: float, low: int, high: int) -> tuple[int, int]:
    """Part of the columns low..high where edge + slope * column is not negative."""
    if slope > 1e-12:
        low = max(low, int(np.ceil(-edge / slope)))
    elif slope < -1e-12:
        high = min(high, int(np.floor(-edge / slope)))
    elif edge < 0:
        high = low - 1
    return low, high


@njit(cache=True)
def _nearest_triangle(
    points: np.ndarray, triangles: np.ndarray, owner: np.ndarray, nearest: np.ndarray
) -> None:
    """Row by row, only the columns inside a triangle are visited."""
    height, width = owner.shape
    for t in range(triangles.shape[0]):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        xi, yi, wi = float(points[i, 0]), float(points[i, 1]), float(points[i, 2])
        xj, yj, wj = float(points[j, 0]), float(points[j, 1]), float(points[j, 2])
        xk, yk, wk = float(points[k, 0]), float(points[k, 1]), float(points[k, 2])
        area = (xj - xi) * (yk - yi) - (xk - xi) * (yj - yi)
        if abs(area) < 1e-9 or wi <= 0 or wj <= 0 or wk <= 0:
            continue
        x0 = max(int(np.ceil(min(xi, xj, xk) - 0.5)), 0)
        x1 = min(int(np.floor(max(xi, xj, xk) - 0.5)), width - 1)
        y0 = max(int(np.ceil(min(yi, yj, yk) - 0.5)), 0)
        y1 = min(int(np.floor(max(yi, yj, yk) - 0.5)), height - 1)
        b_slope, c_slope = (yk - yi) / area, -(yj - yi) / area
        w_slope = b_slope * (wj - wi) + c_slope * (wk - wi)
        for y in range(y0, y1 + 1):
            py = y + 0.5 - yi
            b = ((0.5 - xi) * (yk - yi) - (xk - xi) * py) / area
            c = ((xj - xi) * py - (0.5 - xi) * (yj - yi)) / area
            low, high = _span(b, b_slope, x0, x1)
            low, high = _span(c, c_slope, low, high)
            low, high = _span(1 - b - c, -b_slope - c_slope, low, high)
            w = wi + b * (wj - wi) + c * (wk - wi)
            for x in range(low, high + 1):
                depth = w + w_slope * x
                if depth > nearest[y, x]:
                    nearest[y, x] = depth
                    owner[y, x] = t


@njit(cache=True, fastmath=True)
def _weights(points: np.ndarray, triangles: np.ndarray, owner: np.ndarray, weights: np.ndarray) -> None:
    for y in range(owner.shape[0]):
        for x in range(owner.shape[1]):
            if owner[y, x] < 0:
                continue
            i, j, k = triangles[owner[y, x]]
            xi, yi, wi = points[i]
            xj, yj, wj = points[j]
            xk, yk, wk = points[k]
            area = (xj - xi) * (yk - yi) - (xk - xi) * (yj - yi)
            b = ((x + 0.5 - xi) * (yk - yi) - (xk - xi) * (y + 0.5 - yi)) / area
            c = ((xj - xi) * (y + 0.5 - yi) - (x + 0.5 - xi) * (yj - yi)) / area
            b, c = min(max(b, 0.0), 1.0), min(max(c, 0.0), 1.0)
            w = max(1 - b - c, 0.0) * wi + b * wj + c * wk
            weights[y, x, 0] = b * wj / w
            weights[y, x, 1] = c * wk / w


def rasterise(
    points: np.ndarray, triangles: np.ndarray, height: int, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest triangle of every sample.

    points (N, 3) float32: x, y in samples and the reciprocal of depth. Both faces are drawn.
    Returns triangle (H, W) int32 (-1: none), barycentric weights of its 2nd and 3rd corner
    (H, W, 2) float32, and the reciprocal depth (H, W) float32.
    """
    owner = np.full((height, width), -1, np.int32)
    nearest = np.zeros((height, width), np.float32)
    weights = np.zeros((height, width, 2), np.float32)
    _nearest_triangle(points, triangles, owner, nearest)
    _weights(points, triangles, owner, weights)
    return owner, weights, nearest


@njit(cache=True, fastmath=True)
def _depth_map(points: np.ndarray, triangles: np.ndarray, size: int, depth: np.ndarray) -> None:
    """Largest z per cell of an orthographic view; points (N, 3) hold x, y in cells."""
    depth[:] = -1e9
    for t in range(triangles.shape[0]):
        i, j, k = triangles[t]
        xi, yi, zi = points[i]
        xj, yj, zj = points[j]
        xk, yk, zk = points[k]
        area = (xj - xi) * (yk - yi) - (xk - xi) * (yj - yi)
        if abs(area) < 1e-9:
            continue
        x0 = max(int(np.ceil(min(xi, xj, xk) - 0.5)), 0)
        x1 = min(int(np.floor(max(xi, xj, xk) - 0.5)), size - 1)
        y0 = max(int(np.ceil(min(yi, yj, yk) - 0.5)), 0)
        y1 = min(int(np.floor(max(yi, yj, yk) - 0.5)), size - 1)
        inv = 1.0 / area
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                b = ((x + 0.5 - xi) * (yk - yi) - (xk - xi) * (y + 0.5 - yi)) * inv
                c = ((xj - xi) * (y + 0.5 - yi) - (x + 0.5 - xi) * (yj - yi)) * inv
                if b < 0 or c < 0 or b + c > 1:
                    continue
                z = (1 - b - c) * zi + b * zj + c * zk
                if z > depth[y, x]:
                    depth[y, x] = z


@njit(cache=True, fastmath=True)
def visibility(
    vertices: np.ndarray,
    normals: np.ndarray,
    triangles: np.ndarray,
    directions: np.ndarray,
    size: int,
    bias: float,
) -> np.ndarray:
    """How much of each vertex sees each direction: (D, V) float32 in 0..1.

    One orthographic depth map per direction; vertices are lifted off their surface by `bias` cm,
    and the test is averaged over 2x2 cells so that shadow edges are soft.
    """
    count = vertices.shape[0]
    result = np.zeros((directions.shape[0], count), np.float32)
    points = np.empty((count, 3), np.float32)
    depth = np.empty((size, size), np.float32)
    reach = 0.0
    for v in range(count):
        reach = max(reach, np.sqrt(vertices[v, 0] ** 2 + vertices[v, 1] ** 2 + vertices[v, 2] ** 2))
    scale = size / (2.04 * reach)
    for d in range(directions.shape[0]):
        dx, dy, dz = directions[d]
        helper = np.array([0.0, 1.0, 0.0]) if abs(dy) < 0.9 else np.array([1.0, 0.0, 0.0])
        rx, ry, rz = (
            helper[1] * dz - helper[2] * dy,
            helper[2] * dx - helper[0] * dz,
            helper[0] * dy - helper[1] * dx,
        )
        length = np.sqrt(rx * rx + ry * ry + rz * rz)
        rx, ry, rz = rx / length, ry / length, rz / length
        ux, uy, uz = dy * rz - dz * ry, dz * rx - dx * rz, dx * ry - dy * rx
        for v in range(count):
            x, y, z = vertices[v]
            points[v, 0] = (x * rx + y * ry + z * rz) * scale + size / 2
            points[v, 1] = (x * ux + y * uy + z * uz) * scale + size / 2
            points[v, 2] = x * dx + y * dy + z * dz
        _depth_map(points, triangles, size, depth)
        for v in range(count):
            nx, ny, nz = normals[v]
            facing = nx * dx + ny * dy + nz * dz
            if facing < -0.35:
                continue
            px = points[v, 0] + (nx * rx + ny * ry + nz * rz) * bias * scale - 0.5
            py = points[v, 1] + (nx * ux + ny * uy + nz * uz) * bias * scale - 0.5
            pz = points[v, 2] + facing * bias + bias * 0.7
            x0, y0 = int(np.floor(px)), int(np.floor(py))
            fx, fy = px - x0, py - y0
            lit = 0.0
            for oy in range(2):
                for ox in range(2):
                    share = (fx if ox else 1 - fx) * (fy if oy else 1 - fy)
                    xx, yy = x0 + ox, y0 + oy
                    outside = xx < 0 or yy < 0 or xx >= size or yy >= size
                    if outside or depth[yy, xx] < pz:
                        lit += share
            result[d, v] = lit
    return result

"""From samples to colour: skin, eyes, teeth, hair and cloth, each by a few lines of optics."""

from __future__ import annotations

import numpy as np
from numba import njit

# What a triangle is made of; the order is the order of FaceKit's own materials where they exist.
FACE, BACK, GUMS, TEETH, EYE, HAIR, CLOTH, CAP, LASH, EYE_SHADE = range(10)

# Columns of the per-corner attribute table.
POSITION, NORMAL, IRRADIANCE, UV, REST, OPEN = 0, 3, 6, 9, 11, 14
ATTRIBUTES = 15


@njit(cache=True, fastmath=True)
def _texel(texture: np.ndarray, u: float, v: float, channel: int) -> float:
    """Bilinear sample, clamped at the border; row 0 is v = 0."""
    rows, columns = texture.shape[0], texture.shape[1]
    x = min(max(u * columns - 0.5, 0.0), columns - 1.001)
    y = min(max(v * rows - 0.5, 0.0), rows - 1.001)
    i, j = int(y), int(x)
    fy, fx = y - i, x - j
    top = texture[i, j, channel] * (1 - fx) + texture[i, j + 1, channel] * fx
    bottom = texture[i + 1, j, channel] * (1 - fx) + texture[i + 1, j + 1, channel] * fx
    return top * (1 - fy) + bottom * fy


@njit(cache=True, fastmath=True)
def _gloss(n: np.ndarray, view: np.ndarray, lamps: np.ndarray, roughness: float, out: np.ndarray) -> None:
    """GGX highlights of soft lamps (L, 8: direction, colour, spread, -) for unit reflectance into out (3)."""
    out[:] = 0
    nv = max(n[0] * view[0] + n[1] * view[1] + n[2] * view[2], 0.05)
    for k in range(lamps.shape[0]):
        lx, ly, lz = lamps[k, 0], lamps[k, 1], lamps[k, 2]
        nl = n[0] * lx + n[1] * ly + n[2] * lz
        if nl <= 0:
            continue
        hx, hy, hz = lx + view[0], ly + view[1], lz + view[2]
        length = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-6
        nh = (n[0] * hx + n[1] * hy + n[2] * hz) / length
        vh = (view[0] * hx + view[1] * hy + view[2] * hz) / length
        alpha2 = roughness**4 + lamps[k, 6]
        base = nh * nh * (alpha2 - 1) + 1
        spread = alpha2 / (3.14159 * base * base)
        fresnel = 0.028 + 0.972 * (1 - vh) ** 5
        shape = 0.25 / (0.5 * (nl + nv) * (1 - roughness) + roughness * nl * nv * 2 + 0.12)
        for c in range(3):
            out[c] += lamps[k, 3 + c] * spread * fresnel * shape * nl


@njit(cache=True, fastmath=True)
def _eye_albedo(direction: np.ndarray, iris: np.ndarray, look: np.ndarray, rgb: np.ndarray) -> float:
    """Colour of the eyeball where its rest-pose direction is `direction`; returns how much is iris.

    look: iris radius, pupil radius (sines of the angle to the eye's axis), sclera r, g, b, redness.
    """
    rho = np.sqrt(direction[0] ** 2 + direction[1] ** 2)
    if direction[2] < 0:
        rho = 1.0
    radius = look[0]
    edge = min(max((rho / radius - 0.90) / 0.16, 0.0), 1.0)
    edge = edge * edge * (3 - 2 * edge)
    corner = min(max((rho - 0.45) / 0.4, 0.0), 1.0) * look[5]
    for c in range(3):
        rgb[c] = look[2 + c] * (1 - corner * (0.10 if c == 0 else 0.42))
    if edge < 1:
        angle = np.arctan2(direction[1], direction[0]) / 6.2831853 + 0.5
        r = min(rho / radius, 0.999)
        limbal = min(max((r - 0.72) / 0.26, 0.0), 1.0)
        pupil = min(max((r * radius / look[1] - 0.90) / 0.2, 0.0), 1.0)
        for c in range(3):
            value = _texel(iris, angle, r, c) * (1 - 0.82 * limbal * limbal) * pupil + 0.004 * (1 - pupil)
            rgb[c] = value * (1 - edge) + rgb[c] * edge
    return 1 - edge


@njit(cache=True, fastmath=True)
def _catch_light(n: np.ndarray, view: np.ndarray, lamps: np.ndarray, width: float, out: np.ndarray) -> None:
    """Mirror image of the lamps as soft boxes, into out (3)."""
    out[:] = 0
    nv = n[0] * view[0] + n[1] * view[1] + n[2] * view[2]
    rx, ry, rz = 2 * nv * n[0] - view[0], 2 * nv * n[1] - view[1], 2 * nv * n[2] - view[2]
    for k in range(lamps.shape[0]):
        lx, ly, lz = lamps[k, 0], lamps[k, 1], lamps[k, 2]
        if lz < 0:
            continue
        flat = np.sqrt(lx * lx + lz * lz) + 1e-6
        side = (rx * lz - rz * lx) / flat
        lift = -rx * lx * ly / flat + ry * flat - rz * lz * ly / flat
        facing = rx * lx + ry * ly + rz * lz
        if facing <= 0:
            continue
        a = min(max((width - abs(side)) / 0.07 + 0.5, 0.0), 1.0)
        b = min(max((width * 1.3 - abs(lift)) / 0.07 + 0.5, 0.0), 1.0)
        for c in range(3):
            out[c] += lamps[k, 3 + c] * a * b * 0.30


@njit(cache=True, fastmath=True)
def shade(
    owner: np.ndarray,
    weights: np.ndarray,
    triangles: np.ndarray,
    materials: np.ndarray,
    attributes: np.ndarray,
    face: np.ndarray,
    back: np.ndarray,
    iris: np.ndarray,
    eye_centres: np.ndarray,
    eye_look: np.ndarray,
    colours: np.ndarray,
    lamps: np.ndarray,
    camera: np.ndarray,
) -> np.ndarray:
    """(H, W, 4) float32: linear RGB and coverage of every sample.

    triangles (F, 3) into attributes (C, ATTRIBUTES); eye_centres (2, 3) at rest, left (x > 0) first;
    colours (10, 4): linear albedo and roughness of the materials that are not painted.
    """
    height, width = owner.shape
    image = np.zeros((height, width, 4), np.float32)
    n, view, spec = np.empty(3), np.empty(3), np.empty(3)
    rgb, direction, attr = np.empty(3), np.empty(3), np.empty(ATTRIBUTES)
    for y in range(height):
        for x in range(width):
            t = owner[y, x]
            if t < 0:
                continue
            i, j, k = triangles[t]
            wb, wc = weights[y, x, 0], weights[y, x, 1]
            wa = 1 - wb - wc
            for c in range(ATTRIBUTES):
                attr[c] = attributes[i, c] * wa + attributes[j, c] * wb + attributes[k, c] * wc
            for c in range(3):
                view[c] = camera[c] - attr[POSITION + c]
                n[c] = attr[NORMAL + c]
            view /= np.sqrt(view[0] ** 2 + view[1] ** 2 + view[2] ** 2)
            n /= np.sqrt(n[0] ** 2 + n[1] ** 2 + n[2] ** 2) + 1e-9
            material = materials[t]
            is_open = attr[OPEN]
            u, v = attr[UV], attr[UV + 1]
            if material in (FACE, BACK):
                texture = face if material == FACE else back
                for c in range(3):
                    rgb[c] = _texel(texture, u, v, c)
                gloss = _texel(texture, u, v, 3)
                _bump(texture, u, v, attributes, i, j, k, n)
                _gloss(n, view, lamps, 0.86 - 0.52 * gloss, spec)
                strength = 0.55 + 0.9 * gloss
                for c in range(3):
                    image[y, x, c] = rgb[c] * attr[IRRADIANCE + c] + spec[c] * strength * is_open
            elif material == EYE:
                centre = eye_centres[0] if attr[REST] > 0 else eye_centres[1]
                for c in range(3):
                    direction[c] = attr[REST + c] - centre[c]
                direction /= np.sqrt(direction[0] ** 2 + direction[1] ** 2 + direction[2] ** 2)
                in_iris = _eye_albedo(direction, iris, eye_look, rgb)
                _catch_light(n, view, lamps, 0.17, spec)
                shine = (0.35 + 0.65 * in_iris) * min(1.0, 2.2 * is_open)
                for c in range(3):
                    image[y, x, c] = rgb[c] * attr[IRRADIANCE + c] + spec[c] * shine
            elif material == HAIR:
                _hair(attr, n, view, lamps, colours[HAIR], image[y, x])
            else:
                _gloss(n, view, lamps, colours[material, 3], spec)
                fuzz, knit = 0.0, 1.0  # REST is a tint here
                if material in (CLOTH, CAP):
                    facing = abs(n[0] * view[0] + n[1] * view[1] + n[2] * view[2])
                    fuzz = 0.55 * (1 - facing) ** 3
                    spec *= 0.3
                if material == CLOTH:
                    knit = _knit(u, v)
                for c in range(3):
                    albedo = colours[material, c] * attr[REST + c]
                    soft = (albedo + 0.1 * fuzz) * knit * (1 + fuzz)
                    image[y, x, c] = soft * attr[IRRADIANCE + c] + spec[c] * is_open
            image[y, x, 3] = 1
    return image


@njit(cache=True, fastmath=True)
def _bump(
    texture: np.ndarray, u: float, v: float, attributes: np.ndarray, i: int, j: int, k: int, n: np.ndarray
) -> None:
    """Tilt the unit normal n by the texture's height channel."""
    step = 1.0 / texture.shape[0]
    du = (_texel(texture, u + step, v, 4) - _texel(texture, u - step, v, 4)) / (2 * step)
    dv = (_texel(texture, u, v + step, 4) - _texel(texture, u, v - step, 4)) / (2 * step)
    u1, v1 = attributes[j, UV] - attributes[i, UV], attributes[j, UV + 1] - attributes[i, UV + 1]
    u2, v2 = attributes[k, UV] - attributes[i, UV], attributes[k, UV + 1] - attributes[i, UV + 1]
    area = u1 * v2 - u2 * v1
    if abs(area) < 1e-12:
        return
    tilt = 0.0
    for c in range(3):
        e1, e2 = attributes[j, c] - attributes[i, c], attributes[k, c] - attributes[i, c]
        along_u, along_v = (e1 * v2 - e2 * v1) / area, (e2 * u1 - e1 * u2) / area
        size_u = 1e-4
        for q in range(3):
            f1, f2 = attributes[j, q] - attributes[i, q], attributes[k, q] - attributes[i, q]
            size_u += ((f1 * v2 - f2 * v1) / area) ** 2 * 0.5 + ((f2 * u1 - f1 * u2) / area) ** 2 * 0.5
        n[c] -= (du * along_u + dv * along_v) / size_u
        tilt += n[c] ** 2
    n /= np.sqrt(tilt) + 1e-9


@njit(cache=True, fastmath=True)
def _knit(u: float, v: float) -> float:
    """Brightness of stocking stitch: columns of little Vs."""
    if u == 0 and v == 0:
        return 1.0
    off = abs(u - np.floor(u) - 0.5)
    groove = max(off - 0.36, 0.0) / 0.14
    return 1.02 + 0.06 * np.cos(6.2832 * (v + 1.1 * off)) - 0.12 * groove


@njit(cache=True, fastmath=True)
def _hair(
    attr: np.ndarray, n: np.ndarray, view: np.ndarray, lamps: np.ndarray, colour: np.ndarray, out: np.ndarray
) -> None:
    """Two highlights along the strand (tangent in REST; tint in U, how far from the outside in OPEN)."""
    tx, ty, tz = attr[REST], attr[REST + 1], attr[REST + 2]
    size = np.sqrt(tx * tx + ty * ty + tz * tz) + 1e-6
    shift = 0.10 * (attr[UV] - 1)
    tx, ty, tz = tx / size + shift * n[0], ty / size + shift * n[1], tz / size + shift * n[2]
    for c in range(3):
        out[c] = colour[c] * attr[UV] * attr[IRRADIANCE + c]
    for k in range(lamps.shape[0]):
        facing = n[0] * lamps[k, 0] + n[1] * lamps[k, 1] + n[2] * lamps[k, 2]
        lit = min(max(facing * 1.5 + 0.2, 0.0), 1.0) * attr[OPEN]
        if lit <= 0:
            continue
        hx, hy, hz = lamps[k, 0] + view[0], lamps[k, 1] + view[1], lamps[k, 2] + view[2]
        length = np.sqrt(hx * hx + hy * hy + hz * hz) + 1e-6
        along = (tx * hx + ty * hy + tz * hz) / length
        sheen = max(1 - along * along, 0.0)
        off = max(1 - (along + 0.16) ** 2, 0.0)
        for c in range(3):
            tinted = 0.10 * off**14 * (0.25 + 2.2 * colour[c] / (colour[0] + 0.02))
            out[c] += lamps[k, 3 + c] * lit * (0.030 * sheen**45 + tinted * (colour[0] + 0.05))


@njit(cache=True, fastmath=True)
def blend_layers(
    image: np.ndarray,
    nearest: np.ndarray,
    points: np.ndarray,
    triangles: np.ndarray,
    materials: np.ndarray,
    uv: np.ndarray,
    lash_colour: np.ndarray,
    shade_strength: float,
) -> None:
    """Draw what is partly clear (lashes, the lids' shadow on the eye) over `image`, in triangle order."""
    height, width = nearest.shape
    for t in range(triangles.shape[0]):
        i, j, k = triangles[t]
        xi, yi, wi = points[i]
        xj, yj, wj = points[j]
        xk, yk, wk = points[k]
        area = (xj - xi) * (yk - yi) - (xk - xi) * (yj - yi)
        if abs(area) < 1e-9:
            continue
        x0 = max(int(np.ceil(min(xi, xj, xk) - 0.5)), 0)
        x1 = min(int(np.floor(max(xi, xj, xk) - 0.5)), width - 1)
        y0 = max(int(np.ceil(min(yi, yj, yk) - 0.5)), 0)
        y1 = min(int(np.floor(max(yi, yj, yk) - 0.5)), height - 1)
        for y in range(y0, y1 + 1):
            for x in range(x0, x1 + 1):
                b = ((x + 0.5 - xi) * (yk - yi) - (xk - xi) * (y + 0.5 - yi)) / area
                c = ((xj - xi) * (y + 0.5 - yi) - (x + 0.5 - xi) * (yj - yi)) / area
                a = 1 - b - c
                if a < 0 or b < 0 or c < 0 or a * wi + b * wj + c * wk < nearest[y, x] * 0.9985:
                    continue
                u = uv[i, 0] * a + uv[j, 0] * b + uv[k, 0] * c
                v = uv[i, 1] * a + uv[j, 1] * b + uv[k, 1] * c
                if materials[t] == LASH:
                    opacity = _lash_opacity(u, v)
                    for q in range(3):
                        image[y, x, q] += (lash_colour[q] - image[y, x, q]) * opacity
                else:
                    opacity = shade_strength * v
                    for q in range(3):
                        image[y, x, q] *= 1 - opacity * (0.85 if q == 0 else 1.0)


@njit(cache=True, fastmath=True)
def _lash_opacity(along: float, out: float) -> float:
    """Single hairs over a strip: `along` the lid 0..1, `out` from root 0 to tip 1."""
    hairs = 30.0
    place = along * hairs + 1.6 * (along - 0.45) * out * out * 2.0
    index = np.floor(place)
    wobble = np.sin(index * 12.9898) * 43758.5453
    wobble -= np.floor(wobble)
    length = 0.42 + 0.38 * wobble
    if out > length:
        return 0.0
    thickness = 0.24 * (1 - out / length) + 0.03
    off = abs(place - index - 0.5 + 0.3 * (wobble - 0.5))
    fade = min(max((thickness - off) / 0.12 + 0.5, 0.0), 1.0)
    ends = min(1.0, 6 * along) * min(1.0, 6 * (1 - along))
    return fade * ends * 0.7

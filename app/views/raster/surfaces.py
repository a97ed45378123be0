"""Convex polygons and lines in space as pixels, compiled: a depth buffer of inverse distances, without the GIL.

The inverse distance from the eye, along the line of sight, is affine in the pixel on every plane.
"""
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import math

from engine import kernel


@kernel
def inverse_distances(depth, scale, shift, inverse):
    """inverse (H, W) float32 takes scale depth + shift of a depth buffer (H, W), 0 where it is 1: nothing there."""
    height, width = depth.shape
    for i in range(height):
        for j in range(width):
            inverse[i, j] = scale * depth[i, j] + shift if depth[i, j] < 1.0 else 0.0


@kernel
def see_points(points, matrix, near, cut, seen):
    """seen (V, 4) takes of points (V, 3): column and row of the pixel, inverse distance, side of the cut over distance.

    matrix (3, 4): pixel coordinates times distance, and distance; cut (4,): on the side of a plane (a, b, c, d) where
    a x + b y + c z + d > 0 nothing is seen.  The inverse distance is -1 for what is nearer than `near`.
    """
    for k in range(len(points)):
        x, y, z = points[k, 0], points[k, 1], points[k, 2]
        w = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3]
        if w < near:
            seen[k, 2] = -1.0
            continue
        inverse = 1.0 / w
        seen[k, 0] = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3]) * inverse
        seen[k, 1] = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3]) * inverse
        seen[k, 2] = inverse
        seen[k, 3] = (cut[0] * x + cut[1] * y + cut[2] * z + cut[3]) * inverse


@kernel
def lay_faces(picture, inverse, seen, offsets, face_vertices, colors, normals, view, ambient, diffuse):
    """Draw convex faces over picture (H, W, 4) uint8 where they are nearer than inverse (H, W) float32 says.

    seen (V, 4) as `see_points` makes it; face i runs through face_vertices[offsets[i]:offsets[i + 1]] and has colors[i]
    (F, 3) uint8, lit by ambient + diffuse |normals[i] . view|.  A pixel shows the face at its centre.
    """
    height, width = inverse.shape
    for f in range(len(offsets) - 1):
        start, stop = offsets[f], offsets[f + 1]
        top, bottom, left_most, right_most = math.inf, -math.inf, math.inf, -math.inf
        whole, all_cut = True, True
        for k in range(start, stop):
            v = face_vertices[k]
            if seen[v, 2] < 0.0:
                whole = False
                break
            x, y = seen[v, 0], seen[v, 1]
            top, bottom = min(top, y), max(bottom, y)
            left_most, right_most = min(left_most, x), max(right_most, x)
            all_cut = all_cut and seen[v, 3] > 0.0
        if not whole or all_cut or right_most < 0.5 or left_most > width - 0.5:
            continue
        first_row, last_row = max(0, math.ceil(top - 0.5)), min(height - 1, math.floor(bottom - 0.5))
        if first_row > last_row:
            continue
        light = ambient + diffuse * abs(
            normals[f, 0] * view[0] + normals[f, 1] * view[1] + normals[f, 2] * view[2]
        )  # fmt: skip
        red = int(min(colors[f, 0] * light, 255.0))
        green = int(min(colors[f, 1] * light, 255.0))
        blue = int(min(colors[f, 2] * light, 255.0))
        for i in range(first_row, last_row + 1):
            centre = i + 0.5
            left, right = math.inf, -math.inf
            left_near, right_near, left_side, right_side = 0.0, 0.0, 0.0, 0.0
            b = face_vertices[stop - 1]
            for k in range(start, stop):
                a = b
                b = face_vertices[k]
                ay, by = seen[a, 1], seen[b, 1]
                if (ay <= centre) == (by <= centre):
                    continue
                t = (centre - ay) / (by - ay)
                x = seen[a, 0] + t * (seen[b, 0] - seen[a, 0])
                if x < left:
                    left = x
                    left_near = seen[a, 2] + t * (seen[b, 2] - seen[a, 2])
                    left_side = seen[a, 3] + t * (seen[b, 3] - seen[a, 3])
                if x > right:
                    right = x
                    right_near = seen[a, 2] + t * (seen[b, 2] - seen[a, 2])
                    right_side = seen[a, 3] + t * (seen[b, 3] - seen[a, 3])
            if right < left:
                continue
            share = 1.0 / (right - left) if right > left else 0.0
            near_step, side_step = (right_near - left_near) * share, (right_side - left_side) * share
            for j in range(max(0, math.ceil(left - 0.5)), min(width - 1, math.floor(right - 0.5)) + 1):
                along = j + 0.5 - left
                nearness = left_near + along * near_step
                if nearness > inverse[i, j] and left_side + along * side_step <= 0.0:
                    inverse[i, j] = nearness
                    picture[i, j, 0], picture[i, j, 1], picture[i, j, 2] = red, green, blue
                    picture[i, j, 3] = 255


@kernel
def lay_edges(picture, inverse, seen, edges, first, last, color, line_width, opacity, slack):
    """Draw edges[first:last] (E, 2) over picture (H, W, 4) where nothing is nearer by more than a factor 1 + slack.

    color (3,) uint8; the share of a pixel is that at the distance of its centre from the segment.
    """
    height, width = inverse.shape
    half = 0.5 * line_width
    reach = half + 0.5
    for e in range(first, last):
        a, b = edges[e, 0], edges[e, 1]
        if seen[a, 2] < 0.0 or seen[b, 2] < 0.0:
            continue
        ax, ay, bx, by = seen[a, 0], seen[a, 1], seen[b, 0], seen[b, 1]
        if max(ax, bx) < -reach or min(ax, bx) > width + reach or max(ay, by) < -reach or min(ay, by) > height + reach:
            continue
        dx, dy = bx - ax, by - ay
        squared = dx * dx + dy * dy
        for i in range(max(0, math.floor(min(ay, by) - reach)), min(height, math.ceil(max(ay, by) + reach))):
            low, high = min(ax, bx) - reach, max(ax, bx) + reach
            if abs(dy) > 1e-9:  # the columns near the segment in this row
                middle = ax + (i + 0.5 - ay) / dy * dx
                spread = reach * math.sqrt(squared) / abs(dy)
                low, high = max(low, middle - spread), min(high, middle + spread)
            for j in range(max(0, math.floor(low)), min(width, math.ceil(high))):
                px, py = j + 0.5 - ax, i + 0.5 - ay
                t = min(max((px * dx + py * dy) / squared, 0.0), 1.0) if squared > 0.0 else 0.0
                qx, qy = px - t * dx, py - t * dy
                cover = reach - math.sqrt(qx * qx + qy * qy)
                if cover <= 0.0:
                    continue
                nearness = seen[a, 2] + t * (seen[b, 2] - seen[a, 2])
                if nearness * (1.0 + slack) < inverse[i, j] or seen[a, 3] + t * (seen[b, 3] - seen[a, 3]) > 0.0:
                    continue
                share = min(cover, 1.0) * opacity
                for c in range(3):
                    below = picture[i, j, c]
                    picture[i, j, c] = int(below + (color[c] - below) * share + 0.5)
                picture[i, j, 3] = int(picture[i, j, 3] + (255.0 - picture[i, j, 3]) * share + 0.5)


@kernel
def halve(fine, coarse):
    """coarse (H, W, 4) uint8 takes the means of 2 x 2 pixels of fine (2 H, 2 W, 4)."""
    height, width = coarse.shape[:2]
    for i in range(height):
        for j in range(width):
            for c in range(4):
                total = int(fine[2 * i, 2 * j, c]) + int(fine[2 * i, 2 * j + 1, c])
                total += int(fine[2 * i + 1, 2 * j, c]) + int(fine[2 * i + 1, 2 * j + 1, c])
                coarse[i, j, c] = (total + 2) >> 2

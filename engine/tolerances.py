"""Every constant of rounding and doubt in the engine, each with its reason; see resources/docs/exactness.md."""

from __future__ import annotations

# What float64 is.

UNIT_ROUNDOFF = 2.0**-52  # twice the largest relative error of one operation: room for fused and reordered ones

# Signs, and places on edges and chords: engine/exactness/predicates.py.

SAFETY = 64.0  # roundings in the bound of a row: a sum of n products is off by n of them at most, mostly by their root
EVEN = 2.0**20  # features whose parts in a row differ by less share one norm in its bound: on generic networks all do
NEGLIGIBLE_UNCERTAINTY = 1e-12  # of the domain's diameter: below it a position's own error does not enter its bounds
SAME_RATIO = 1e-9  # radians: rows with ratios that differ by less are looked at in integers
DOUBT = 2.0**10  # bounds within which a sign or an order is in doubt: on generic networks none is
QUOTIENT = 2.0 * UNIT_ROUNDOFF  # relative error of a share of the way, a quotient of numbers without cancellation
NEAR_END = 2.0 * UNIT_ROUNDOFF  # of an edge: a crossing so near to an end leaves the sign there in doubt
UNDERFLOW = 1e-290  # smaller values have lost digits, or all of them: they are in doubt
LEAST_SLOPE = 2.0**-50  # of a nonlinearity: with a smaller one, a value beyond UNDERFLOW might become zero
NEAREST = 1e-300  # to the second end of an edge: a place there must have a sign
ONE_POINT = 1e-9  # of a chord: crossings that are closer may become one vertex; only memory is estimated by it

# Planes and their polygons: what a person or a file gives, checked once.

COORDINATE = 1e-12  # relative: corners of a polygon that differ by less are one, sides that turn by less are straight
ORTHONORMAL = 1e-9  # products of a plane's axes may be off by this much
FULL_TURN = 1e-6  # radians: the sides of a polygon, or the sectors around an edge, turn once up to this much
PARALLEL = 1e-8  # length of a unit vector's part across another one, below which it gives no direction
SMALLEST, LARGEST = 1e-140, 1e140  # sizes whose squares stay far inside the range of float64

# The level surface.

POINT = 4.0 * UNIT_ROUNDOFF  # relative error of a point's coordinates, made by two multiplications and additions
SHORT_EDGE = 1e-9  # of the domain's diameter: a shorter edge that only one of its two facets has is rounding's
SMALLEST_SQUARE = 1e-12  # of the domain's diameter: the first square in which a facet is looked for
CERTIFIED_SLACK = 1e-9  # relative: enclosures and covers are widened by it, far above their rounding
SAME_DIRECTION = 1e-9  # radians: creases closer than that around a common edge are one

"""Kernels: bounds of all neurons in a box.

A value is enclosed as an affine function of symbols in [-1, 1]: the three coordinates of the box, and one for each
neuron whose nonlinearity the box cannot decide, which is enclosed between two parallel lines (Singh, Gehr, Mirman,
Pueschel and Vechev, "Fast and Effective Robustness Certification", NeurIPS 2018).  What later layers do with the same
symbol cancels, so that bounds of small boxes are nearly as tight as the network is straight in them.
"""

from __future__ import annotations

from engine.machine.jit import inline, inner_sum
from engine.tolerances import CERTIFIED_SLACK

SYMBOLS = 64  # beside the coordinates; what more neurons leave open is not told apart


@inline
def piece_after(layers, k, z):
    """The piece of neuron k's nonlinearity at z."""
    piece = 0
    for r in range(layers.first_row[k], layers.first_row[k + 1]):
        if z >= layers.row_breakpoint[r]:
            piece = layers.row_piece[r]
    return piece


@inline
def _between_lines(layers, k, low, high):
    """Neuron k's nonlinearity between low and high as factor z + shift +- slack."""
    p, q = piece_after(layers, k, low), piece_after(layers, k, high)
    if p == q:
        return layers.slopes[k, p], layers.intercepts[k, p], 0.0
    at_low = layers.slopes[k, p] * low + layers.intercepts[k, p]
    at_high = layers.slopes[k, q] * high + layers.intercepts[k, q]
    factor = (at_high - at_low) / (high - low)
    above_low, above_high = at_low - factor * low, at_high - factor * high
    most, least = max(above_low, above_high), min(above_low, above_high)
    for r in range(layers.first_row[k], layers.first_row[k + 1]):
        z = layers.row_breakpoint[r]
        if low < z < high:
            piece = layers.row_piece[r]
            above = (layers.slopes[k, piece] - factor) * z + layers.intercepts[k, piece]
            most, least = max(most, above), min(least, above)
    return factor, 0.5 * (most + least), 0.5 * (most - least)


@inner_sum
def enclose_box(layers, box, values, rests, lows, highs):
    """Bounds lows, highs (N,) of all neurons before their nonlinearities in a box (2, 3), the output's among them.

    values (4 + SYMBOLS, N), rests (N,): room for the values at the centre, their changes with each symbol, and what is
    left over.
    """
    symbols, last = 0, len(layers.first_neuron) - 2
    for m in range(last + 1):
        lo, hi = layers.first_neuron[m], layers.first_neuron[m + 1]
        for c in range(4, 4 + symbols):
            for k in range(lo, hi):
                values[c, k] = 0.0
        for k in range(lo, hi):
            values[0, k], rests[k] = layers.bias[k], 0.0
            for d in range(3):
                values[0, k] += 0.5 * (box[0, d] + box[1, d]) * layers.input_weights[d, k]
                values[1 + d, k] = 0.5 * (box[1, d] - box[0, d]) * layers.input_weights[d, k]
        for b in range(layers.first_block[m], layers.first_block[m + 1]):
            source, start = layers.block_source[b], layers.block_start[b]
            first, width = layers.first_neuron[source], hi - lo
            for i in range(first, layers.first_neuron[source + 1]):
                row = start + (i - first) * width
                if rests[i] > 0.0:
                    for k in range(width):
                        rests[lo + k] += rests[i] * abs(layers.weights[row + k])
                for c in range(4 + symbols):
                    value = values[c, i]
                    if value != 0.0:
                        for k in range(width):
                            values[c, lo + k] += value * layers.weights[row + k]
        known = symbols
        for k in range(lo, hi):
            reach = rests[k]
            for c in range(1, 4 + known):
                reach += abs(values[c, k])
            reach += CERTIFIED_SLACK * (abs(values[0, k]) + reach)
            lows[k], highs[k] = values[0, k] - reach, values[0, k] + reach
            if m == last:
                continue
            factor, shift, slack = _between_lines(layers, k, lows[k], highs[k])
            for c in range(4 + known):
                values[c, k] *= factor
            values[0, k] += shift
            rests[k] *= abs(factor)
            if slack > 0.0 and symbols < SYMBOLS:
                for n in range(hi):  # of earlier layers too: some are read again
                    values[4 + symbols, n] = 0.0
                values[4 + symbols, k] = slack
                symbols += 1
            else:
                rests[k] += slack

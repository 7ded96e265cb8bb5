"""The cell of H3 that a position lies in (https://h3geo.org), for many positions at once.

H3 is asked for one position at a time, and rounds stay on few square kilometres. So most answers come from squares of
some 10 m: where the corners of a square lie in one cell, so does all of it, for cells are convex. Each square is made
a hundredth larger for that, which is far more than its sides (parallels and meridians) are bent or H3 rounds.
"""

from __future__ import annotations

from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc
from h3.api.basic_str import latlng_to_cell

RESOLUTION = 10  # hexagons of about 15,000 m^2, 76 m a side
_A_DEGREE = 10_000  # squares
_WIDTH = 10_000_000  # more than there are squares around the Earth
_MARGIN = 0.005
_BENT = 85  # degrees of latitude, beyond which a parallel is no straight line


def cells_of(longitude: pa.Array, latitude: pa.Array) -> pa.Array:
    """Texts such as `8a268cd98067fff`; null where the position, which must be one on Earth, is null."""
    row, column = (
        pc.floor(pc.multiply(degrees, float(_A_DEGREE))).cast(pa.int64()) for degrees in (latitude, longitude)
    )
    squares = pc.add(pc.multiply(row, _WIDTH), pc.add(column, _WIDTH // 2)).dictionary_encode()
    cells = pa.array([_cell_of_square(square) for square in squares.dictionary.to_pylist()], pa.string())
    found = cells.take(squares.indices)
    open_ = pc.and_(found.is_null(), latitude.is_valid())
    places = zip(latitude.filter(open_).to_pylist(), longitude.filter(open_).to_pylist(), strict=True)
    asked = pa.array([latlng_to_cell(lat, lon, RESOLUTION) for lat, lon in places], pa.string())
    return pc.replace_with_mask(found, open_, asked)


@lru_cache(maxsize=200_000)
def _cell_of_square(square: int) -> str | None:
    """The cell that all of a square lies in; None: there is none."""
    row, column = divmod(square, _WIDTH)
    south, west = row - _MARGIN, column - _WIDTH // 2 - _MARGIN
    if not -_BENT < row / _A_DEGREE < _BENT:
        return None
    side = 1 + 2 * _MARGIN
    corners = [(south + up, west + right) for up in (0, side) for right in (0, side)]
    first, *rest = (latlng_to_cell(lat / _A_DEGREE, lon / _A_DEGREE, RESOLUTION) for lat, lon in corners)
    return first if all(cell == first for cell in rest) else None

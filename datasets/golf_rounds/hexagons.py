"""The cell of H3 that a position lies in (https://h3geo.org)."""

from __future__ import annotations

import pyarrow as pa
from h3.api import basic_str

RESOLUTION = 10  # hexagons of about 15,000 m^2, 76 m a side


def cells_of(longitude: pa.Array, latitude: pa.Array) -> pa.Array:
    """Texts such as `8a268cd98067fff`; null where the position, which must be one on Earth, is null."""
    places = zip(latitude.to_pylist(), longitude.to_pylist(), strict=True)
    find = basic_str.latlng_to_cell
    return pa.array([None if lat is None else find(lat, lon, RESOLUTION) for lat, lon in places], pa.string())

"""A large table looked at page by page: which rows, in which order, and no more of the file than that takes."""

from towline.browse.book import PAGE, Book, Page, matching, pages
from towline.browse.extent import Extent, extents
from towline.browse.place import Place
from towline.browse.view import OPERATORS, Condition, View, equal

__all__ = [
    "OPERATORS",
    "PAGE",
    "Book",
    "Condition",
    "Extent",
    "Page",
    "Place",
    "View",
    "equal",
    "extents",
    "matching",
    "pages",
]

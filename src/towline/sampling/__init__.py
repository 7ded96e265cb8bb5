"""The first rows of a file of any format, as a real file of the same format, read in few and bounded pieces."""

"""What the Files page shows: a manifest's lines, a file's story, a sample as a table. Pure, but for the page itself."""

"""Raw files on their way in: from raw/ to bronze/ or the quarantine, and a line each in the manifest."""

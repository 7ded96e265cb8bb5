"""What happened to a dataset, as the pages History and My proposals show it. Nothing here knows the screen."""

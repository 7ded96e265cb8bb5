"""From bronze to silver to gold: what a pipeline is, and how its runs, called loads, are committed."""

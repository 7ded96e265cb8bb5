"""One page a file: `page()` asks the state, calls a use case, draws. route.py calls it."""

"""Pictures of a dataset: which ones it gets, and what is in each. Pure: nothing here knows a screen."""

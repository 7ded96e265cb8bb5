"""How things are: what is looked at, what was found, and what to do about it.

fact.py        Fact (one thing that was looked at) and Health (all of them at one moment)
checkup.py     Probe and Checkup: all looked at side by side, again and again, each for a bounded time
judge.py       from what was found to a Fact: the bounds, the words, the way out; pure
pipeline.py    Reconcile's last run, and proposals on their way, over the store
datasets.py    the heads of the datasets, what waits for them and what was refused, over the store

What only AWS or this machine can tell comes from `towline.aws.health` and `towline.local.health`;
`towline.connect.checkup` puts all of it together. What cannot be found out is a Fact too, of the state `unknown`.
"""

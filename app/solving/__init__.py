"""What the Conflicts page is about: a proposal that ended in conflict, and what a person picks, place by place."""

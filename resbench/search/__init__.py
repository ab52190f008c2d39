"""Choose the points of a study: the search space and the samplers over it."""

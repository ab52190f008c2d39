"""A unit's graph, and the network built from it -> what its identity path does to signal and gradient.  arXiv:1603.05027"""

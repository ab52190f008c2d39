"""A unit's graph, and the network built from it -> the effect of its identity path on signal and gradient.  arXiv:1603.05027"""

"""A unit's graph, and the network built from it -> what its identity path does to signals and gradients.  He et al. 2016, 1603.05027"""

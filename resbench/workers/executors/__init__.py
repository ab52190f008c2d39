"""Where the cells of a study are trained: in children of this process, in it itself, on a Ray cluster."""

"""Spec -> bound graphs -> Network on `meta` -> weights; and the identity of the whole."""

"""Generate the reference pages in docs/."""

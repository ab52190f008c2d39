"""Generate units: orderings of parts and mutations."""

"""A bound graph -> a picture of it: in a terminal, as SVG, PNG, Mermaid or DOT."""

"""Write a scene in one format each: text, SVG, PNG, DOT, Mermaid."""

"""YAML -> frozen specs (units, blocks, networks, recipes, studies). No torch in this room."""

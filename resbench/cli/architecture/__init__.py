"""Commands about units and networks: parse, call, print."""

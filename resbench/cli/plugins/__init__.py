"""Commands about plugins, and the lists of what they and resbench provide: parse, call, print."""

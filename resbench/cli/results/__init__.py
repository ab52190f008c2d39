"""Commands that read, export and change results: parse, call, print."""

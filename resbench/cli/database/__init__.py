"""Commands about the database itself: parse, call, print."""

"""Commands that check, run and watch a study: parse, call, print."""

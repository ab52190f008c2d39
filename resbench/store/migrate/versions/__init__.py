"""One file per revision, each with its DDL frozen: a revision imports nothing of resbench, so that it stays what it was."""

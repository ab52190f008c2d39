"""The store: records -> rows of one database, and back.

Nothing is re-exported here, so that a command which only reads imports only what it needs: `open` opens a database,
`results/` reads and writes results, `queue/` holds the cells, `query/` runs a person's SQL.
"""

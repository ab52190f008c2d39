"""The store: numbers -> rows of one database, and back.

Nothing is re-exported here, so that a reading command imports only what it reads with:
`engine` (open), `runs`, `studies`, `catalogue`, `cells` (write), `reading`, `readonly` (read), `optuna_storage`.
"""

"""Tables, views and checks of the database's schema."""

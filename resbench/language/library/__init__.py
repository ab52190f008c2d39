"""Find specs by name, and resolve what they extend."""

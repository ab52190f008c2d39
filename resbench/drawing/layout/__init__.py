"""Place the boxes and routes of a drawing."""

"""StudyResults -> pictures of a study for a page 7 inches wide. Only this folder and png.py draw with matplotlib."""

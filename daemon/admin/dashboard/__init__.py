"""Pages for people: a file for each, with its queries beside it."""

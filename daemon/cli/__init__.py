"""The command line: thin commands over the engine, each in a file with its kin."""

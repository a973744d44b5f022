"""One file for each command-line stage: thin functions from a table of rows to a table of rows."""

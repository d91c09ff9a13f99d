"""What can one ask for? One file for each group of commands; `ops.cli` puts them together."""

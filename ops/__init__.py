"""How do people operate the pipeline? The command line, its helpers, and what prepares a deployment."""

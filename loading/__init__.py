"""The load of a manifest, the same for every engine: order of steps, checks of versions, commits, results."""

"""The load of a manifest, the same for every engine: order of steps, version checks, commits, results."""

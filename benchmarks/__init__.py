"""How fast is the transform, next to what could be had? Run with `make bench`."""

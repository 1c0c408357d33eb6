"""The commands: each file has one function, a thin layer over the other subpackages."""

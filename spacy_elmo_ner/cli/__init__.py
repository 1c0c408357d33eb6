"""The commands: each file a function, a thin skin over the other rooms."""

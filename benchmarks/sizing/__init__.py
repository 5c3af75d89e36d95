"""How much processor, memory and disk a text costs in each process: the figures of docs/scale.md."""

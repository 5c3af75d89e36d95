"""The brain that asks a bot of the operator's own, by HTTP."""

"""The brain that asks a language model."""

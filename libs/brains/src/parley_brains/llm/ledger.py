"""What the requests of one turn took, in tokens."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import Counter

from parley_common.events import Usage

_tokens = Counter("parley_model_tokens", "Tokens of models, by direction and model.", ["direction", "model"])


class Ledger:
    """Adds up over all requests of a turn, whatever became of them. ``spent`` is told of each."""

    def __init__(self, spent: Callable[[Usage], None]) -> None:
        self._spent = spent
        self._model = ""
        self._input = self._output = 0

    def add(self, model: str, *, read: int, written: int) -> None:
        """A request was answered: the model read and wrote so many tokens."""
        self._model = model
        self._input += read
        self._output += written
        _tokens.labels("input", model).inc(read)
        _tokens.labels("output", model).inc(written)
        self._spent(Usage(model=model, input_tokens=read, output_tokens=written))

    @property
    def usage(self) -> Usage | None:
        """The sum, under the model that answered last; None where none did."""
        if not self._model:
            return None
        return Usage(model=self._model, input_tokens=self._input, output_tokens=self._output)

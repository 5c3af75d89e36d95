"""What an agent knows: a folder of Markdown, searched by BM25 in SQLite's full-text index."""

from parley_brains.knowledge.passages import Passage as Passage
from parley_brains.knowledge.search import Knowledge as Knowledge

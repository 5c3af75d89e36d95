"""Which words of a question are searched for: not those that every question has. Pure."""

from __future__ import annotations

import re
import unicodedata

MOST_CHARACTERS = 1_000
"""Of a question; the rest is not searched for."""

MOST_WORDS = 24

_WORD = re.compile(r"[^\W_]+")

_ENGLISH = """
a about after again all also always am an and any anybody anyone anything are aren around as ask at be because
been before being but by can cannot cant come could couldn did didn do does doesn doing don done each either
else ever every few for from further get gets getting give given go goes going gonna got gotta had has hasn have
haven having he her here hers him his how however i if im in into is isn it its itself ive just know let like ll
many may maybe me might mine more most much must my near need needed needs no nor not now of off ok okay on once
one only or other our ours out over own please possible quick question questions re really right said same say
see shall she should shouldn so some somebody someone something soon still such sure tell than that thats the
their them then there these they thing things think this those through to too trying um under up us use very
wanna want wanted wants was wasn we well were what whats when where whether which while who whom whose why will
with within without won wonder wondering would wouldn yes yet you your yours myself yourself bye cheers dear
evening goodbye hello help hey hi hiya morning sorry thank thanks thx ty
nothing none two three four five six seven eight nine ten bit fine good great long lot nice ours time today
tomorrow way
"""
_GERMAN = """
aber alle allem allen aller alles als also am an auch auf aus bei beim bin bis bist bitte da damit danke dann
das dass dein deine dem den denn der des dich die dies diese diesem diesen dieser dieses dir doch dort du durch
ein eine einem einen einer eines er es etwas euch euer eure fur gibt guten hab habe haben habt hallo hat hatte
hatten hi ich ihm ihn ihnen ihr ihre im in ist ja jede jeden jeder kann kannst kein keine konnen konnt man mein
meine mich mir mit mochte morgen muss nach nein nicht noch nun nur ob oder ohne sehr sein seid sich sie sind so
tag uber um und uns unser unsere von vor wann warum was weil welche welcher welches wenn wer werden wie wieso
wieviel will wir wird wo woher wohin wurde zu zum zur
"""
_FRENCH = """
a ai as au aux avec avez avoir bonjour ca ce ces cet cette combien comment dans de des du elle en est et etes
etre eu faire fait faut il ils j je l la le les leur lui ma mais me merci mes moi mon ne nos notre nous on ont
ou par pas peut peux plait pour pourquoi puis qu quand que quel quelle quelles quels qui quoi s sa salut se ses
si sil son sont sur ta te tes toi ton tu un une vos votre vous voudrais y
"""
_SPANISH = """
a al algo como con cual cuales cuando cuanto cuanta de del desde donde dos e el ella ellos en entre era eres es
esa ese eso esta estan estar este esto favor fue gracias ha hace hacer hasta hay hola la las le les lo los mas
me mi mis muy necesito no nos o para pero por porque puede puedo que quien quiero se ser si sin sobre son su sus
tambien te tener tengo ti tiene tienen tienes tu tus u un una unas unos usted ustedes y ya yo
"""
_STOP_WORDS = {
    language: frozenset(words.split())
    for language, words in {"en": _ENGLISH, "de": _GERMAN, "fr": _FRENCH, "es": _SPANISH}.items()
}


def searched(question: str, language: str) -> tuple[str, ...]:
    """The words to search for, in the order of the question and each once; none in what is only a number."""
    stop_words = _STOP_WORDS.get(language.casefold().replace("_", "-").partition("-")[0], frozenset())
    text = unicodedata.normalize("NFC", question[:MOST_CHARACTERS]).casefold()
    found = (word for word in _WORD.findall(text) if _says_something(word) and _bare(word) not in stop_words)
    words = tuple(dict.fromkeys(found))[:MOST_WORDS]
    return () if all(word.isdigit() for word in words) else words


def _says_something(word: str) -> bool:
    """A single letter is what an apostrophe left; a single sign of a script without letters may be a word."""
    return len(word) > 1 or word.isdigit() or not word.isalpha() or ord(word) >= 0x2E80


def _bare(word: str) -> str:
    """Without accents and umlauts, as people type in haste."""
    return "".join(one for one in unicodedata.normalize("NFD", word) if not unicodedata.combining(one))

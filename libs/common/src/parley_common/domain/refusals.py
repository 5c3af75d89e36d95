"""Whether a person says in words of their own that they want no more texts. Pure.

The exact STOP words are Twilio's (``keywords``); here are the sentences. Who is misheard as refusing loses answers
until they text START, who is not heard is texted against their will: so a sentence counts where it is about texts
from us and is asked of us, and not where it is about an order, a time of day, or somebody else.
English, Spanish, French, German, Portuguese and Italian. The patterns see a text without accents, case and marks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_LONGEST = 1600
_REMEMBERED = 128
_MOST_MARKS = 3
"""A letter and its accents, taken apart."""

_POLITE = (
    r"(?:please|pls|plz|kindly|now|just|ok|okay|hey|hi|hello|no|yes|so|and|right|immediately|thanks|thank you|thx|"
    r"thank u|sir|i said|i told you to|already|today|ever again|asap|por favor|gracias|bitte|danke|"
    r"s il (?:vous|te) plait|svp|merci|obrigad[oa]|per favore|grazie)"
)
_END = rf"(?: {_POLITE})*(?= [|?]|$)"
_TEXTS = r"(?:texts?|text messages?|messages?|msgs?|sms|notifications?|alerts?|spam|ads?|promos?|promotions?)"
_ME = r"(?:me|us|my (?:phone|cell|mobile|number)|this (?:number|phone))"
_LIST = (
    r"(?:list|lists|text list|texting list|mailing list|contact list|contacts|system|database|records|sms list)"
)
_WHOSE = r"(?:your|ur|the|this|these|those|all|any|any more|more|such|all your|all these|all the)"
_FROM = rf"(?: (?:from|off|of) (?:{_WHOSE} )?(?:{_LIST}|{_TEXTS}|everything|it|this|here|you))?"
_WANT = r"(?:want|wish|like|care|need)"
_DONT = r"(?:do not|don t|dont|no longer|never|not)"
_YOU = r"(?:you|u|yall)(?: guys| people| all)?"

# What follows and makes it one about something else: an hour, a thing that was sent, a list for something.
_AN_HOUR = (
    r"(?:at (?:nights?|midnight|noon|dawn|bedtime|lunch|dinner|\d\w*|this (?:hour|time)|such hours)|"
    r"(?:before|after|until|till) (?:\d\w*|noon|midnight|dark|work|lunch|dinner|hours)|"
    r"(?:on|over) (?:weekends?|the weekend|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|holidays?)|"
    r"during|between|(?:so|this|too) (?:late|early)|in the (?:mornings?|evenings?|afternoons?|nights?|middle of))"
)
_A_THING = r"(?:the|an?|my) (?!same\b|whole\b|hell\b|fuck|hundred\b|thousand\b|million\b)"
_NOT_ONE_OF = rf"(?! (?:{_AN_HOUR}\b|{_A_THING}))"
_NOT_FOR = rf"(?! for (?!(?:{_WHOSE} )?{_TEXTS}\b))"

# Said with nothing else in the clause.
_WHOLE = (
    r"(?:stop|stopp|stop all|stopall|unsubscribe|optout|opt out)(?: (?:stop|all|it|this|that|them))*",
    r"(?:can|could|will|would) (?:you|u) (?:please )?(?:just )?stop(?: (?:it|this))?",
    rf"(?:stop|end|no more|enough|quit) (?:with )?(?:{_WHOSE} )?{_TEXTS}",
    rf"unsubscribe(?: {_ME})?{_FROM}",
    rf"opt (?:{_ME} )?out(?: of)?(?: (?:{_WHOSE} )?(?:{_TEXTS}|{_LIST}))?",
    (
        rf"(?:i (?:want|wish|would like|d like|need)|i would love|how (?:do|can) i|can i|let me) (?:to )?"
        rf"(?:unsubscribe|opt out){_FROM}(?: of (?:{_WHOSE} )?{_TEXTS})?"
    ),
    rf"(?:remove|delete|take off) (?:me|us){_FROM}",
    r"(?:stop|quit) sending (?:this|these|those)",
    (
        r"(?:do not|don t|dont|never) (?:ever )?(?:text|txt|message|msg|sms)"
        r"(?: (?:any ?more|again|ever|at all|here|this number))*"
    ),
    (
        rf"how (?:do|can|would) i (?:stop|end) (?:(?:getting|receiving) )?(?:{_WHOSE} )?"
        rf"(?:texts?|text messages?|messages?|msgs?|sms|spam)(?: from {_YOU})?"
    ),
    (
        r"(?:no mas|basta de|plus de|stop aux|keine|keine weiteren|chega de|niente piu|basta con i|mais nenhuma)"
        r" (?:mensajes?|messages?|sms|textos?|nachrichten|mensagens|mensagem|messaggi)(?: mehr)?"
    ),
)

# Said anywhere, unless something before it turns it round.
_ANYWHERE = (
    (
        rf"(?:stop|quit|cease) (?:text(?:ing|in)|txt(?:ing|in)|messag(?:ing|in)|msg(?:ing|in)|contacting|"
        rf"bothering|spamming|harassing|smsing|writing|writing to|bugging|annoying|pestering) {_ME}{_NOT_ONE_OF}"
    ),
    rf"(?:stop|quit) sending (?:{_ME} )?(?:{_WHOSE} )?(?:\w+ )?{_TEXTS}",
    rf"(?:stop|quit) sending {_ME} (?:this|these|things|stuff|shit|crap|anything)",
    r"(?:stop|quit) (?:texting|txting|messaging|msging|sending)" + _END,
    (
        rf"(?:do not|don t|dont|never)(?: (?:you )?(?:ever|please|pls))? (?:text|txt|message|msg|sms|contact|"
        rf"write to|write|bother|disturb|harass|spam) {_ME}"
        rf"(?: (?:any ?more|again|ever|at all|on this number))*{_END}"
    ),
    (
        rf"(?:do not|don t|dont|never)(?: ever)? send (?:{_ME} )?(?:{_WHOSE} )?(?:\w+ )?{_TEXTS}"
        rf"(?: (?:any ?more|again|ever|to me|to this number|here))*{_END}"
    ),
    rf"leave (?:me|us) alone{_END}",
    rf"(?:take|get) (?:me|us|my (?:phone )?number|this number) off (?:of )?(?:{_WHOSE} )?{_LIST}{_NOT_FOR}",
    (
        rf"(?:remove|delete|erase|drop) (?:me|us|my (?:phone |cell )?number|this number|my contact)"
        rf" (?:from|off) (?:{_WHOSE} )?{_LIST}{_NOT_FOR}"
    ),
    rf"(?:remove|delete|erase|lose) (?:my (?:phone |cell )?number|this number){_END}",
    rf"(?:unsubscribe|opt) (?:me|us|this number|my number)(?: out)?{_FROM}{_END}",
    (
        rf"i (?:{_DONT} )(?:\w+ )?{_WANT} (?:to (?:get|receive|have|see|be sent) )?(?:(?:{_WHOSE}|any of your) )?"
        rf"(?:\w+ )?{_TEXTS}(?: (?:from {_YOU}|from this number|any ?more|again|at all|ever))*{_END}"
    ),
    (
        rf"i (?:{_DONT} ){_WANT} (?:to hear from (?:you|u|this number)|to be (?:texted|contacted|bothered)|"
        rf"(?:you|u) to (?:text|contact|message|write) {_ME})(?: (?:any ?more|again|ever|at all|by you))*{_END}"
    ),
    rf"i (?:want|wish|would like|d like|need) to stop (?:getting|receiving) (?:{_WHOSE} )?{_TEXTS}",
    r"i (?:hereby )?(?:revoke|withdraw) (?:my|any|all) (?:consent|permission)" + _END,
    r"i (?:hereby )?(?:revoke|withdraw) (?:my|any) (?:consent|permission) to (?:be )?(?:text|contact|messag)\w*",
    rf"(?:you )?(?:do not|don t|dont) have (?:my )?(?:consent|permission) to (?:text|contact|message) {_ME}",
    # Spanish
    r"dej(?:a|en|e|ad) de (?:escribirme|mandarme|enviarme|molestarme|textearme|contactarme|llenarme)",
    r"no me (?:escrib(?:as|an|a)|contact(?:es|en|e)|molest(?:es|en|e)|"
    r"mand(?:es|en|e) (?:mas )?(?:mensajes?|sms|textos?)|"
    r"envi(?:es|en|e) (?:mas )?(?:mensajes?|sms|textos?))(?: (?:mas|nunca|nunca mas))*" + _END,
    r"(?:ya )?no quiero (?:recibir )?(?:mas )?(?:(?:sus|tus|estos|los) )?(?:mensajes|sms|textos)",
    r"(?:borr|quit|sac|elimin)(?:a|e|en|ame|eme|enme|ar)(?: a)?(?: mi numero)?(?: me)? de (?:la|su|tu|esta) lista",
    r"(?:dame|deme|denme|quiero darme) de baja" + _END,
    r"dej(?:a|e|en)me en paz",
    # French
    r"arret(?:e|ez) de (?:m ecrire|me (?:texter|contacter|deranger|harceler|ecrire))",
    r"arret(?:e|ez) de m envoyer des (?:messages|sms|textos)",
    r"ne m (?:ecri(?:s|vez)|envo(?:ie|yez)) plus(?: (?:de )?(?:messages?|sms|textos?))?" + _END,
    r"ne me (?:contact(?:e|ez)|text(?:e|ez)|derang(?:e|ez)) plus" + _END,
    r"laiss(?:e|ez) (?:moi|nous) tranquilles?",
    r"(?:desabonn|desinscri|desinscriv)(?:e|ez|s|vez) moi",
    r"je (?:ne )?veux plus (?:recevoir )?(?:de|vos|tes|ces|des) (?:messages|sms|textos)",
    r"(?:retir|supprim|effac|enlev)(?:e|ez) (?:moi|mon numero) de (?:votre|ta|la|cette) liste",
    # German
    (
        r"hoe?r(?:t|en sie)? (?:bitte )?(?:endlich )?auf(?: [|])? mi(?:r|ch) (?:\w+ )?(?:zu )?"
        r"(?:schreiben|texten|simsen|belastigen|kontaktieren|nerven)"
    ),
    r"schreib(?:t|e|en sie)? (?:mir|uns) (?:bitte )?(?:nie wieder|nicht mehr|nichts mehr)",
    r"(?:schick|send)(?:t|e|en sie)? (?:mir|uns) (?:bitte )?keine (?:\w+ )?(?:sms|nachrichten|texte)(?: mehr)?",
    r"lass(?:t|en sie)? mich (?:bitte |endlich )?in ruhe",
    (
        r"(?:nimm|nehmt|nehmen sie|streich|streicht|streichen sie) (?:mich|meine nummer) (?:bitte )?"
        r"(?:aus|von) (?:der|eurer|ihrer|deiner) liste"
    ),
    r"loe?sch(?:t|e|en sie)? (?:bitte )?meine (?:handy|telefon)?nummer" + _END,
    r"ich (?:will|moe?chte) keine (?:\w+ )?(?:sms|nachrichten|texte)(?: mehr)?"
    r"(?: (?:von (?:euch|ihnen|dir)|bekommen|erhalten|haben))*" + _END,
    r"meld(?:e|et|en sie) mich (?:bitte )?ab" + _END,
    # Portuguese
    r"par(?:a|e|em) de (?:me )?(?:mandar|enviar|escrever|incomodar|contatar)(?:me)?(?: (?:mensagens?|sms))?"
    + _END,
    r"nao me (?:mand|envi)(?:e|em|es) mais (?:mensagens?|sms)",
    r"nao quero (?:mais )?(?:receber )?(?:mais )?(?:suas |estas |as )?(?:mensagens|sms)",
    r"(?:me )?(?:tir|remov|exclu)(?:a|e|em|am|ame)(?: me)? da (?:sua )?lista",
    r"(?:me )?deix(?:e|em|a)(?: me)? em paz",
    # Italian
    r"smett(?:i|ete|etela|ila) di (?:scrivermi|mandarmi|inviarmi|contattarmi|disturbarmi)",
    r"non (?:scriv(?:ermi|etemi)|contatta(?:rmi|temi)) (?:mai )?piu" + _END,
    r"non voglio (?:piu )?(?:ricevere )?(?:piu )?(?:i )?(?:vostri |tuoi )?(?:messaggi|sms)",
    r"lascia(?:mi|temi) in pace",
    r"(?:togli|toglie|cancella|rimuovi|rimuove)(?:mi|temi|te mi) dalla (?:vostra |tua )?lista",
)

_TURNED_ROUND = re.compile(
    r"\b(?:not|never|don t|dont|didn t|won t|can t|why|did|does|do|if|when|you|u|they|he|she|it|i|we|people|who|"
    r"should|must|shall|might|would|could|will|can|to|nunca|n|vous|tu|pourquoi|ihr|er|sie|nicht|warum|nao|non) ?$"
)
_STILL_ASKED = re.compile(
    r"\b(?:(?:can|could|will|would|should|must|better|want|need|tell|told|ask|asked|telling|asking|like|said)"
    r" (?:you|u|yall)(?: guys| people)?(?: just| really| please)?(?: to)?"
    r"|(?:you|u|yall)(?: guys| people)?(?: really)? (?:need|have|got|ought) to"
    r"|(?:you|u|yall)(?: guys| people)?(?: really)? (?:should|must|would|could|will|can)(?: just| really| please)?"
    r"|if (?:you|u) (?:do not|don t|dont)|why (?:don t|dont) (?:you|u)) ?$"
)
"""What before a sentence makes it one about something else, and what makes it one of ours all the same."""

_CLAUSE = re.compile(rf"(?:{_POLITE} )*(?:{'|'.join(_WHOLE)}){_END}")
_SENTENCE = re.compile(rf"\b(?:{'|'.join(_ANYWHERE)})\b")


@lru_cache(maxsize=_REMEMBERED)
def is_refusal(text: str) -> bool:
    """Whether the person wants to be texted no more. A turn asks this of the same few texts several times."""
    plain = _plain(text[:_LONGEST])
    return any(_refuses(clause) for clause in _clauses(plain)) or any(
        _is_meant(plain[: found.start()]) for found in _SENTENCE.finditer(plain)
    )


def _refuses(clause: str) -> bool:
    """A clause that says it and nothing else. "Stop?" asks something."""
    return _CLAUSE.fullmatch(clause) is not None


def _is_meant(before: str) -> bool:
    return _TURNED_ROUND.search(before) is None or _STILL_ASKED.search(before) is not None


def _clauses(plain: str) -> Iterable[str]:
    for clause in re.findall(r"[^|?]+(?:\?)?", plain):
        words = clause.strip()
        if words.startswith(("stop ?", "unsubscribe ?", "opt out ?")):
            continue
        yield words.rstrip("? ").strip()


def _plain(text: str) -> str:
    """Small letters without accents; ends of clauses as ``|`` and ``?``, all other marks as spaces."""
    taken_apart = unicodedata.normalize("NFKD", text)[: _MOST_MARKS * _LONGEST]  # one sign may become eighteen
    bare = "".join(one for one in taken_apart if not unicodedata.combining(one))[:_LONGEST]
    marked = re.sub(r"[.!;,:\n…()\"“”«»]+|\s[-–—]+\s", " | ", bare.casefold().replace("?", " ? "))
    return " ".join(re.sub(r"[^\w|?]+", " ", marked).split())

"""Words that show what a customer's message does: asks, asks for a second thing, complains, praises.

English and Japanese. They are an estimate, good enough to spread a sample over. Other languages have no cues:
they count as neutral, and as one request unless there is a question mark.
"""

import re

_SHORTEST = 8  # letters of a second matter
_BEFORE = 24  # characters in which a negation may stand
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\s\"”’)\]]+|(?<=[。！？])|\n+")
_QUESTION = re.compile(r"[?？]|(?:です|ます|でしょう|ません)か(?:[。\s]|$)")
_REQUEST = re.compile(
    r"\b(?:how|where|when|what|which|who|why|whose)"
    r" (?:do|does|did|is|are|was|were|can|could|would|will|has|have)\b"
    r"|\b(?:can|could|will|would|may|do|did) (?:you|i|we|u)\b"
    r"|\b(?:is|are) (?:there|it|they) (?:any|a|possible)\b"
    r"|\bi(?:'d| would| just)? (?:need|want|like to|wish|have to|love to)\b"
    r"|\bi(?:'m| am) (?:looking|asking|trying)\b"
    r"|\b(?:please|pls|plz|kindly)\b|\blooking for\b|\bneed an?\b"
    r"|^\W*(?:tell|show|send|give|cancel|refund|replace|change|explain|help|let|recommend|suggest|find)\b"
    r"|ください|下さい|お願い(?:します|いた|でき)|(?:し|り|い|け|べ|み|ち|び|え)たい(?:です|の|ん)|教えて|ほしい|欲しい",
    re.IGNORECASE,
)
_POLITE_JAPANESE = re.compile(r"(?:よろしく|宜しく)(?:お願い[しいた]*ます)?|お返事")

# At the start of a sentence, this announces a second matter by itself.
_SECOND_MATTER = re.compile(
    r"\W*(?:(?:oh|and|but|then|so|ah|now),? )*"
    r"(?:(?:there is |there's |i have |i've )?(?:one |an)?"
    r"(?:other|more|different|further|second|separate|last)"
    r" (?:more |small |quick )?(?:question|thing|point|matter|issue|request|problem|topic|note|subject)s?\b"
    r"|(?:on|as for|to|about|concerning) (?:an|the|a|my) ?(?:other|different|separate|unrelated|side|second) "
    r"(?:note|matter|topic|subject|question|thing|point|issue)\b"
    r"|(?:there is |there's |i have )?something else\s*[:.,]"
    r"|second(?:ly)?\s*[:,.]|(?:two|2|b)\s*[:.)](?:\s|$)|two (?:things|questions|points|matters)\b"
    r"|while i(?:'m| am) (?:at it|here|writing)|since i(?:'m| am) (?:here|at it|writing)"
    r"|(?:apart|aside) from (?:that|this)|besides(?: that)?\s*[,:]|in addition\s*[,:]"
    r"|(?:separately|additionally|furthermore|moreover|unrelated)\s*[,:.]"
    r"|p\.? ?(?:p\.? ?)?s\b\.?|(?:also|plus)\s*[,.:](?:\s|$)|(?:oh|and),? (?:also|and)\b"
    r"|もう(?:一|1|１|ひと)つ|それから|ところで|ちなみに|別件|追伸|(?:二|2|２)つ目|あと[、,])",
    re.IGNORECASE,
)
# This does so when a request follows in the same sentence.
_PERHAPS_SECOND = re.compile(r"\W*(?:also|plus|and|oh|btw|by the way|anyway|それと|また)\b", re.IGNORECASE)


_COMPLAINT = re.compile(
    r"\b(?:disappoint\w*|angry|furious|outrag\w+|livid|frustrat\w+|annoy\w+|irritat\w+|upset\w*|unhappy|displeased"
    r"|dissatisf\w+|ridiculous|absurd|unacceptable|inacceptable|disgrace\w*|shameful|scandal\w*|terrible|terribly"
    r"|awful|horrible|horrid|dreadful|appalling|abysmal|atrocious|worst|pathetic|useless|hopeless|incompetent|rude"
    r"|scam\w*|rip-?off|ripped off|fraud|sucks?|crap|rubbish|garbage|hate|nightmare|a joke"
    r"|fed up|sick of|tired of"
    r"|had enough|waste of|wast(?:ed|ing) my|let(?:ting)? me down|losing (?:my )?patience|ran out of patience"
    r"|patience is|never again|last (?:time|chance|order)"
    r"|not (?:a )?(?:happy|satisfied|pleased|impressed|acceptable"
    r"|good enough|amused|okay with|ok with|coming back|ordering)|isn't (?:good enough|acceptable|helpful)"
    r"|no(?:body| ?one) (?:answer\w*|repl\w+|respond\w*|cares?|help\w*)"
    r"|no (?:answer|reply|response)|never (?:had|got|received) an? (?:answer|reply)"
    r"|still (?:waiting|no|nothing|not)"
    r"|how (?:many times|much longer|hard can|dare)|once again|yet again|(?:third|fourth|fifth) time"
    r"|(?:bad|poor|lousy|slow) (?:service|experience|support|quality)|complain\w*|complaint|lawyer|chargeback"
    r"|(?:close|delete|cancel) my (?:\w+ )?(?:account|membership|subscription)|unsubscrib\w+"
    r"|(?:take|taking|go|going|shop|shopping|order|ordering|buy|buying) (?:my \w+ )*"
    r"(?:elsewhere|somewhere else)|(?:other|another|different) (?:shop|store|provider)s?\b|competitors?"
    r"|lose (?:me|a customer)|wtf|argh+|ugh+)\b"
    r"|最悪|ひど[いす]|酷い|怒[りっ]|がっかり|残念|不満|腹が立|納得でき|許せ|二度と|いい加減|遅すぎ"
    r"|信じられない|失望|クレーム|困ります"
    r"|[?!]{3,}",
    re.IGNORECASE,
)
_PRAISE = re.compile(
    r"\b(?:love[ds]?|loving|adore\w*|awesome|amazing|amazed|brilliant|fantastic|wonderful\w*|excellent|superb"
    r"|perfect(?:ly)?|marvell?ous|gorgeous|delight\w*|thrilled|impressed|fabulous|terrific|outstanding"
    r"|life ?saver|hero(?:es)?"
    r"|best (?:shop|store|service|support|team|ever)|you(?:'re| are|r|) the best|favou?rite (?:shop|store)"
    r"|(?:so|very|really|super|extremely) (?:happy|pleased|glad|helpful|friendly|kind|nice|fast|good)"
    r"|happy (?:customer|camper|with)|great (?:service|shop|store|job|work|help|experience|team|selection)"
    r"|(?:thanks|thank you)"
    r" (?:so much|a million|a ton|for (?:the|your) (?:\w+ )?(?:quick|great|fast|friendly|kind|lovely))"
    r"|well done|keep it up|10/10|5 stars|five stars|made my day|exceeded|grateful|yay+|woohoo)\b"
    r"|嬉し|うれし|最高|素晴らし|すばらし|大好き|感動|助かりました|大満足|満足して|完璧|気に入[りっ]|❤|😍|😊|🥰",
    re.IGNORECASE,
)
_NO_PRAISE = re.compile(
    r"\b(?:not|n't|never|hardly|less than|far from|would|wouldn't|if)\b(?: \w+){0,2} $", re.IGNORECASE
)
_NO_COMPLAINT = re.compile(r"\b(?:not|n't|never|no|without)\b(?: \w+){0,2} $", re.IGNORECASE)


def sentences(text: str) -> list[str]:
    """The sentences of a text, near enough; lines are sentences."""
    return [part for part in _SENTENCE_END.split(text.replace("’", "'")) if part.strip(" \"'”)]")]


def is_request(sentence: str) -> bool:
    """Whether a sentence asks for something."""
    if _QUESTION.search(sentence):
        return True
    return bool(_REQUEST.search(_POLITE_JAPANESE.sub("", sentence)))


def requests(text: str) -> int:
    """How many of a text's sentences ask for something."""
    return sum(map(is_request, sentences(text)))


def asks_for_two(message: str) -> bool:
    """Whether one message asks for two different things; a question and its details are one.

    It does where a sentence announces a second matter, or begins like one and asks, after a first request.
    """
    parts = sentences(message)
    for place, sentence in enumerate(parts):
        if place == 0:
            continue
        if announced := _SECOND_MATTER.match(sentence):
            rest = sentence[announced.end() :] + "".join(parts[place + 1 :])
            if len(re.sub(r"\W", "", rest)) >= _SHORTEST:
                return True
        if _PERHAPS_SECOND.match(sentence) and is_request(sentence) and any(map(is_request, parts[:place])):
            return True
    return False


def complaints(text: str) -> int:
    """How many cues of anger, disappointment or leaving a text has; "no complaint" is none."""
    return _count(_COMPLAINT, _NO_COMPLAINT, text)


def praises(text: str) -> int:
    """How many cues of joy and satisfaction a text has; "not happy with" is none."""
    return _count(_PRAISE, _NO_PRAISE, text)


def _count(cue: re.Pattern[str], unless: re.Pattern[str], text: str) -> int:
    text = text.replace("’", "'")
    return sum(
        not unless.search(text[max(0, match.start() - _BEFORE) : match.start()])
        for match in cue.finditer(text)
    )

"""Turns written English into the spoken form that transcripts use; imported by texts.py.

Only letters, spaces and . , ? ' remain; a line that cannot be said in one way only becomes None.
"""
import re

from spoken import cardinal, ordinal, year

LONGEST = 170
ALLOWED = re.compile(r"[A-Za-z'.,? ]+")
LETTERED = ("TV CD DVD PC USA US UK EU UN FBI CIA DNA RNA HIV CPU GPU USB PDF URL HTML SQL API DNS VPN LED GPS MRI IQ "
            "VIP NBA NFL BBC CNN IBM DJ DIY FAQ ATM CEO CFO CTO HR PR IT ID BC AD AC BA MA MIT SOS DC NY LA BMW TNT "
            "XL").split()
SAID = {"Mr": "Mister", "Mrs": "Missus", "Dr": "Doctor", "St": "Saint", "Prof": "Professor", "Jr": "Junior"}
CRUDE = re.compile(
    r"(?i)\b(?:(?:mother)?fuck|shit|bullshit|cunt|nigg|bitch|whore|slut|rapist|penis|vagin|sexual|bisexual|erotic|"
    r"masturbat|orgasm|urinat|faec|fece|excrement|defecat|prostitut|copulat|genital|testic|pederast|molest|suicid|"
    r"murder|lynch|nazi|hitler|negro|retard|homosexual|lesbian|faggot|slave|terroris|massacre|strangl|harlot|condom|"
    r"nude|porn|racis|lewd|obscen|damn|bastard|vomit|seduc|tortur|behead|execution|incest|genocid)\w*|"
    r"\b(?:sex|sexy|sexes|rape|raped|rapes|raping|ass|asses|arse|piss|pissed|crap|tit|tits|cock|cocks|dick|dicks|lust|"
    r"hell|gay|gays|bum|turd|coon|spic|wop|kike|gook|bugger|drunk|hooker|groin|crotch|pubic|semen|urine|anus|rectum|"
    r"jew|jews|jewish|moron|idiot|idiots|kill|kills|killed|killer|killing|naked|breast|breasts|nipple|buttocks|fart|"
    r"farts|virgin|lover|lovers|cripple|crippled|intercourse|dyke|executed|whipped|lol|bloody|poop|corpse|heroin|"
    r"cocaine|scrotum|bowel|bowels|concubine|mistress)\b")
# Abbreviations and units that WordNet writes but nobody says, and regnal numbers.
UNSAID = re.compile(r"\b(?:ca|approx|esp|usu|lbs?|oz|ft|cm|mm|km|kg|kgs|mph|sq|fig|vol|abbr|cf|resp|pl|eg|ie|pH|macOS|"
                    r"iOS|eBay|iPhone|http|https|www)\b|(?<=.)\b[A-Z][a-z]+ [IVX]\b|(?<!')\b[b-hj-z]\b|\b[a-z]+[A-Z]|"
                    r"\b[b-hj-zB-HJ-NP-Z]\.")
JOINED = re.compile(r"\b(?:JavaScript|TypeScript|YouTube)\b")
QUESTION = re.compile(r"(?i)(?:(?:what|who|where|when|why|which|how)(?: \w+)? (?:is|are|was|were|do|does|did|can|"
                      r"could|will|would|should|has|have)\b|"
                      r"(?:is|are|do|does|did|can|could|will|would|should|have|has|was|were) "
                      r"(?:you|i|he|she|it|they|we|the|there|your|my|this|that|a|an)\b)[^.?]*\.")


def spoken_numbers(text):
    """Figures that have one reading become words; others stay and fail later."""
    text = re.sub(r"\b(1[1-9]|20)(\d)0s\b", lambda found: plural_decade(found.group(1), found.group(2)), text)
    text = re.sub(r"\$(\d{1,3})(?![\d.,])", lambda found: cardinal(int(found.group(1))) + " dollars", text)
    text = re.sub(r"(\d+)(st|nd|rd|th)\b", lambda found: ordinal(int(found.group(1))), text)
    text = re.sub(r"(\d{1,3}),(\d{3})\b", r"\1\2 ", text)
    text = re.sub(r"(?<![\d.,:])(1[1-9]\d\d|20[0-2]\d)(?![\d:%]|\.\d)", lambda found: year(int(found.group(1))), text)
    return re.sub(r"(?<![\d.,:/])(\d{1,3})(?![\d:/%]|\.\d)", lambda found: cardinal(int(found.group(1))), text)


def plural_decade(century, decade):
    if decade == "0":
        return cardinal(int(century)) + " hundreds"
    return f"{cardinal(int(century))} {cardinal(int(decade) * 10)[:-1]}ies"


def spoken_form(text):
    """The line as it is transcribed, or None."""
    text = text.replace("\u2019", "'").replace("`", "'").strip()
    text = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", " ", text)
    text = re.sub(r"[\"\u201c\u201d()*]", "", text)
    text = re.sub(r"\.\.\.+|\s[-\u2013\u2014]+\s|--+|[;:\u2014]", ", ", text)
    text = text.replace("!", ".").replace("&", " and ")
    text = re.sub(r"\b([A-Z])\.(?:([A-Z])\.)+", lambda found: found.group(0).replace(".", ""), text)
    text = re.sub(r"\b(Mr|Mrs|Dr|St|Prof|Jr)\.?(?= [A-Z])", lambda found: SAID[found.group(1)], text)
    text = re.sub(r"\bvs\.?(?= )", "versus", text)
    text = re.sub(r"\betc\.?", "et cetera", text)
    text = spoken_numbers(text).replace("%", " percent").replace("-", " ")
    text = re.sub(r"\b[A-Z]{2,}\b", said_capitals, text)
    text = re.sub(r"\b([Oo])k\b", r"\1kay", text)
    text = re.sub(r"\b([Ee]) mail", r"\1mail", text)
    text = re.sub(r"(?<![A-Za-z])'|'(?![A-Za-z])", " ", text)
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"\s+([.,?])", r"\1", text)
    text = re.sub(r"([,.?])(?:\s*[,.])+", r"\1", text)
    text = re.sub(r"([,.?])(?=[A-Za-z])", r"\1 ", text).strip(" ,")
    if not ALLOWED.fullmatch(text) or len(text) > LONGEST or CRUDE.search(text):
        return None
    if UNSAID.search(JOINED.sub("", text)):
        return None
    if text[-1] not in ".?":
        text += "."
    if QUESTION.fullmatch(text):
        text = text[:-1] + "?"
    text = re.sub(r"\bi(?=\b[^.])", "I", text)
    return re.sub(r"(^|[.?] )([a-z])", lambda found: found.group(1) + found.group(2).upper(), text)


def said_capitals(found):
    """Initialisms as spaced letters; unknown capitals stay marked so that the line is dropped."""
    word = found.group(0)
    if word == "OK":
        return "okay"
    return " ".join(word) if word in LETTERED else "#"

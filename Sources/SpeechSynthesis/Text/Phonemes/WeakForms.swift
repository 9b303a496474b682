/// Function words as they sound in a sentence, with the stress that eSpeak NG gives them.
enum WeakForms {
    static let table = [
        "the": "ðə", "a": "ɐ", "an": "ɐn", "and": "ænd", "of": "ʌv", "to": "tə", "in": "ɪn", "is": "ɪz", "it": "ɪt",
        "its": "ɪts",
        "it's": "ɪts", "was": "wʌz", "were": "wɜː", "are": "ɑːɹ", "be": "biː", "been": "bˌɪn", "for": "fɔːɹ",
        "on": "ˌɔn", "with": "wɪð",
        "as": "æz", "at": "æt", "by": "baɪ", "from": "fɹʌm", "or": "ɔːɹ", "but": "bˌʌt", "not": "nˌɑːt", "that": "ðæt",
        "this": "ðɪs",
        "he": "hiː", "she": "ʃiː", "we": "wiː", "they": "ðeɪ", "you": "juː", "i": "aɪ", "me": "miː", "him": "hˌɪm",
        "her": "hɜː",
        "them": "ðˌɛm", "us": "ˌʌs", "my": "maɪ", "your": "jʊɹ", "his": "hɪz", "our": "ˌaʊɚ", "their": "ðɛɹ",
        "have": "hæv", "has": "hæz",
        "had": "hæd", "do": "dˈuː", "does": "dˈʌz", "did": "dˈɪd", "can": "kæn", "could": "kʊd", "will": "wɪl",
        "would": "wʊd",
        "shall": "ʃˌæl", "should": "ʃˌʊd", "may": "mˈeɪ", "must": "mˈʌst", "if": "ɪf", "so": "sˌoʊ", "than": "ðɐn",
        "then": "ðˈɛn",
        "there": "ðɛɹ", "what": "wʌt", "which": "wˌɪtʃ", "who": "hˌuː", "when": "wɛn", "where": "wˌɛɹ", "how": "hˌaʊ",
        "why": "wˌaɪ",
        "over": "ˌoʊvɚ", "before": "bᵻfˌoːɹ", "any": "ˌɛni", "near": "nˌɪɹ", "already": "ɔːlɹˌɛdi", "tuple": "tˈuːpəl",
        "these": "ðiːz", "am": "æm", "into": "ˌɪntʊ", "about": "ɐbˌaʊt", "because": "bɪkˈʌz", "i'm": "aɪm",
        "i'll": "aɪl", "i've": "aɪv",
    ]
}

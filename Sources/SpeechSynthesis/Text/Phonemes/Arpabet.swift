/// A phone of the CMU pronouncing dictionary: its symbol and, for vowels, the stress 0 (none), 1 (primary) or 2 (secondary).
struct Arpabet: Sendable, Equatable {
    /// The 39 symbols; the order is of no meaning.
    enum Symbol: String, Sendable, CaseIterable {
        case aa = "AA", ae = "AE", ah = "AH", ao = "AO", aw = "AW", ay = "AY", eh = "EH", er = "ER", ey = "EY", ih =
            "IH"
        case iy = "IY", ow = "OW", oy = "OY", uh = "UH", uw = "UW"
        case b = "B", ch = "CH", d = "D", dh = "DH", f = "F", g = "G", hh = "HH", jh = "JH", k = "K", l = "L", m = "M"
        case n = "N", ng = "NG", p = "P", r = "R", s = "S", sh = "SH", t = "T", th = "TH", v = "V", w = "W", y = "Y"
        case z = "Z", zh = "ZH"
    }

    var symbol: Symbol
    /// Nil for consonants.
    var stress: Int?

    var isVowel: Bool { stress != nil }

    init(_ symbol: Symbol, _ stress: Int? = nil) {
        self.symbol = symbol
        self.stress = stress
    }

    /// Reads `AH0` or `T`; also flite's `ax0` and `t`.
    init?(_ text: some StringProtocol) {
        var name = text.uppercased()
        let stress = name.last.flatMap { $0.isNumber ? $0.wholeNumberValue : nil }
        if stress != nil { name.removeLast() }
        if name == "AX" { name = "AH" }
        guard let symbol = Symbol(rawValue: name) else { return nil }
        let isVowel = Self.vowels.contains(symbol)
        self.init(symbol, isVowel ? min(stress ?? 0, 2) : nil)
    }

    private static let vowels: Set<Symbol> = [
        .aa, .ae, .ah, .ao, .aw, .ay, .eh, .er, .ey, .ih, .iy, .ow, .oy, .uh, .uw,
    ]
}

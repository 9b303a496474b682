/// Where one stream's decoder is in the phrases that it shall prefer (shallow fusion for greedy decoding).
///
/// The decoder adds ``boostedTokens`` to the log-probabilities of a step, and calls ``advance(_:)`` with each token
/// that it emits; a blank changes nothing. Whether a frame emits a token at all shall be decided without the bonuses,
/// as NeMo does (`nemo/collections/asr/parts/submodules/transducer_decoding/rnnt_label_looping.py`, NeMo 3.0.0;
/// NVIDIA/NeMo-Speech.cpp at 4f96762, `src/asr/decoders/rnnt_greedy_decoder.cpp`): phrases then choose between words,
/// but write none into silence.
///
/// A copy is a fork. No allocation after the first steps, unless a copy still shares the list.
struct PhraseBooster: Sendable {
    /// A token that continues or begins a phrase, and the nats that are added to its log-probability.
    struct Boost: Sendable, Equatable {
        var token: Int32
        var bonus: Float
    }

    /// The tokens that have a bonus now, each once, in no order: the beginnings of all phrases, and what continues
    /// those that the last tokens have begun.
    private(set) var boostedTokens: [Boost] = []

    private let trie: PhraseTrie
    private var node = 0

    init(_ trie: PhraseTrie) {
        self.trie = trie
        listBoosts()
    }

    /// Takes the token that was emitted.
    mutating func advance(_ token: Int32) {
        let next = trie.follow(token, from: node)
        guard next != node else { return }
        node = next
        listBoosts()
    }

    /// Forgets the tokens so far.
    mutating func reset() {
        guard node != 0 else { return }
        node = 0
        listBoosts()
    }

    /// The bonus of one token; 0 for most.
    func bonus(for token: Int32) -> Float {
        var node = node
        while true {
            if trie.nodes[node].children[token] != nil { return trie.nodes[node].bonus }
            if node == 0 { return 0 }
            node = trie.nodes[node].fallback
        }
    }

    /// The active nodes are this one and its fallbacks, down to the root. Deeper ones are worth more, and come first.
    private mutating func listBoosts() {
        boostedTokens.removeAll(keepingCapacity: true)
        var active = node
        while true {
            let bonus = trie.nodes[active].bonus
            for token in trie.nodes[active].children.keys where active == node || !isListed(token, before: active) {
                boostedTokens.append(Boost(token: token, bonus: bonus))
            }
            if active == 0 { return }
            active = trie.nodes[active].fallback
        }
    }

    /// Whether a node that is deeper than `active` has the token too.
    private func isListed(_ token: Int32, before active: Int) -> Bool {
        var deeper = node
        while deeper != active {
            if trie.nodes[deeper].children[token] != nil { return true }
            deeper = trie.nodes[deeper].fallback
        }
        return false
    }
}

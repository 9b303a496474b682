/// A queue on an array. Both ends in constant time, averaged over many calls.
package struct FIFO<Element> {
    private var storage: [Element?] = []
    private var head = 0

    /// Makes an empty queue.
    package init() {}

    /// How many elements wait.
    package var count: Int { storage.count - head }
    /// The element that has waited longest.
    package var first: Element? { head < storage.count ? storage[head] : nil }
    /// The element that came last.
    package var last: Element? { head < storage.count ? storage[storage.count - 1] : nil }

    /// Puts an element behind all others.
    package mutating func append(_ element: Element) { storage.append(element) }

    /// Takes the element that has waited longest; nil if there is none.
    package mutating func removeFirst() -> Element? {
        guard head < storage.count else { return nil }
        defer {
            storage[head] = nil
            head += 1
            if head == storage.count {
                storage.removeAll(keepingCapacity: true)
                head = 0
            } else if head >= 64, head * 2 >= storage.count {
                storage.removeFirst(head)
                head = 0
            }
        }
        return storage[head]
    }

    /// Puts an element before all others.
    package mutating func prepend(_ element: Element) {
        if head > 0 {
            head -= 1
            storage[head] = element
        } else {
            storage.insert(element, at: 0)
        }
    }

    /// Keeps only what satisfies the condition, in order.
    package mutating func keep(where isKept: (Element) -> Bool) {
        storage = storage[head...].filter { $0.map(isKept) ?? false }
        head = 0
    }

    /// Drops the element that came last, if there is one.
    package mutating func removeLast() {
        guard head < storage.count else { return }
        storage.removeLast()
    }

    /// Drops all elements.
    package mutating func removeAll() {
        storage.removeAll()
        head = 0
    }
}

extension FIFO: Sendable where Element: Sendable {}

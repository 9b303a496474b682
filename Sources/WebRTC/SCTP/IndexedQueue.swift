/// A first-in, first-out queue whose elements can be reached by their place in it. Taking the first is amortised O(1).
struct IndexedQueue<Element: Sendable>: Sendable {
    private var storage: [Element] = []
    private var head = 0

    /// The elements in it.
    var count: Int { storage.count - head }
    /// True when there are none.
    var isEmpty: Bool { count == 0 }
    /// The oldest.
    var first: Element? { isEmpty ? nil : storage[head] }

    /// The element at `index`, 0 being the oldest.
    subscript(index: Int) -> Element {
        get { storage[head + index] }
        set { storage[head + index] = newValue }
    }

    /// Adds the newest.
    mutating func append(_ element: Element) { storage.append(element) }

    /// Removes the oldest.
    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = storage[head]
        head += 1
        if head > 32, 2 * head > storage.count {
            storage.removeFirst(head)
            head = 0
        }
        return element
    }

    /// Removes the element at `index`, 0 being the oldest; O(count).
    mutating func remove(at index: Int) -> Element { storage.remove(at: head + index) }

    /// Removes all.
    mutating func removeAll() { self = IndexedQueue() }
}

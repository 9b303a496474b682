/// What is due when: a heap of times, the earliest first, and of equal ones the one that was put in first.
struct Agenda {
    private struct Entry {
        var time: Duration
        var number: Int

        func comes(before other: Entry) -> Bool { (time, number) < (other.time, other.number) }
    }

    private var heap: [Entry] = []

    /// Puts something in. Later numbers are greater.
    mutating func insert(_ number: Int, at time: Duration) {
        heap.append(Entry(time: time, number: number))
        var child = heap.count - 1
        while child > 0, heap[child].comes(before: heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// Takes out what is due first.
    mutating func next() -> (number: Int, time: Duration)? {
        guard let first = heap.first else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        sink()
        return (first.number, first.time)
    }

    private mutating func sink() {
        var parent = 0
        while true {
            var first = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].comes(before: heap[first]) { first = child }
            }
            guard first != parent else { return }
            heap.swapAt(first, parent)
            parent = first
        }
    }
}

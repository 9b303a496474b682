/// A bounded first-in, first-out store of samples. When it is full the oldest go, and it counts them.
package struct SampleFIFO: Sendable {
    /// The most samples it holds.
    package let capacity: Int
    /// The samples it holds now.
    package private(set) var count = 0
    /// Samples dropped for want of room since it was made.
    package private(set) var dropped = 0

    /// A ring: the `count` samples from `head` on, wrapping at `capacity`.
    private var storage: [Float]
    private var head = 0

    /// Makes an empty store.
    package init(capacity: Int) {
        precondition(capacity > 0, "a FIFO holds at least one sample")
        self.capacity = capacity
        storage = [Float](repeating: 0, count: capacity)
    }

    /// True when nothing can be taken.
    package var isEmpty: Bool { count == 0 }

    /// Adds samples, newest last; drops the oldest when there is no room.
    /// - Returns: how many were dropped by this call.
    @discardableResult
    package mutating func append(_ samples: [Float]) -> Int {
        let kept = samples.suffix(capacity)
        let overflow = max(0, count + kept.count - capacity)
        discard(overflow)
        var tail = (head + count) % capacity
        for sample in kept {
            storage[tail] = sample
            tail += 1
            if tail == capacity { tail = 0 }
        }
        count += kept.count
        let lost = overflow + samples.count - kept.count
        dropped += lost
        return lost
    }

    /// Removes and returns the oldest samples: `length` of them, or all there are if fewer.
    package mutating func take(_ length: Int) -> [Float] {
        let length = max(0, min(length, count))
        let first = min(length, capacity - head)
        var taken = Array(storage[head..<head + first])
        taken.append(contentsOf: storage[0..<length - first])
        discard(length)
        return taken
    }

    /// Forgets all samples; they do not count as dropped.
    package mutating func removeAll() {
        head = 0
        count = 0
    }

    private mutating func discard(_ length: Int) {
        head = (head + length) % capacity
        count -= length
    }
}

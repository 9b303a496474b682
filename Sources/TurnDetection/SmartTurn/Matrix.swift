/// A matrix on the host, for arithmetic on weights while a model is loaded. Row-major; a row holds one output's weights.
struct Matrix {
    var rows: Int
    var columns: Int
    /// `rows` times `columns` values.
    var elements: [Float]

    /// The matrix times a vector with one value per column.
    func product(with vector: [Float]) -> [Float] {
        (0..<rows).map { row in
            var sum = 0.0
            for column in 0..<columns { sum += Double(elements[row * columns + column]) * Double(vector[column]) }
            return Float(sum)
        }
    }

    /// Each column multiplied by a value of its own.
    func scalingColumns(by factors: [Float]) -> Matrix {
        var result = self
        for index in elements.indices { result.elements[index] *= factors[index % columns] }
        return result
    }

    /// Every element multiplied.
    func scaled(by factor: Float) -> Matrix {
        Matrix(rows: rows, columns: columns, elements: elements.map { $0 * factor })
    }

    /// Some of the rows.
    func rows(_ range: Range<Int>) -> Matrix {
        Matrix(
            rows: range.count,
            columns: columns,
            elements: Array(elements[(range.lowerBound * columns)..<(range.upperBound * columns)])
        )
    }

    /// Some of the columns, in the order given.
    func columns(_ chosen: some Collection<Int>) -> Matrix {
        var result: [Float] = []
        result.reserveCapacity(rows * chosen.count)
        for row in 0..<rows {
            for column in chosen { result.append(elements[row * columns + column]) }
        }
        return Matrix(rows: rows, columns: chosen.count, elements: result)
    }
}

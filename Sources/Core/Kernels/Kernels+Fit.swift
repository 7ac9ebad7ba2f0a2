extension Kernels {
    /// From which row and column of a plane each place of a larger or smaller one is taken.
    struct FitPlacement {
        let height: Int
        let width: Int
        let rows: [Int]
        let columns: [Int]

        init(height: Int, width: Int, outHeight: Int, outWidth: Int) {
            self.height = height
            self.width = width
            rows = FitPlacement.sources(height, outHeight)
            columns = FitPlacement.sources(width, outWidth)
        }

        private static func sources(_ count: Int, _ outCount: Int) -> [Int] {
            // Truncated towards zero: a single row too many or too few is the last one.
            let offset = (outCount - count) / 2
            return (0..<outCount).map { min(max($0 - offset, 0), count - 1) }
        }
    }

    /// Each place of `y` takes the number that `placement` names.
    static func fit(_ x: Tensor, planes: Int, _ placement: FitPlacement, into y: Tensor) {
        precondition(
            x.count == planes * placement.height * placement.width
                && y.count == planes * placement.rows.count * placement.columns.count,
            "\(planes) planes do not fit \(x.count) and \(y.count) floats")
        var place = 0
        for plane in 0..<planes {
            for row in placement.rows {
                let from = x.pointer + (plane * placement.height + row) * placement.width
                for column in placement.columns {
                    y.pointer[place] = from[column]
                    place += 1
                }
            }
        }
    }

    /// Each number of `result` is the sum of the gradients of all places that took it.
    static func fitGradient(
        _ gradient: Tensor, planes: Int, _ placement: FitPlacement, into result: Tensor
    ) {
        precondition(
            result.count == planes * placement.height * placement.width
                && gradient.count == planes * placement.rows.count * placement.columns.count,
            "\(planes) planes do not fit \(gradient.count) and \(result.count) floats")
        clear(result)
        var place = 0
        for plane in 0..<planes {
            for row in placement.rows {
                let onto = result.pointer + (plane * placement.height + row) * placement.width
                for column in placement.columns {
                    onto[column] += gradient.pointer[place]
                    place += 1
                }
            }
        }
    }
}

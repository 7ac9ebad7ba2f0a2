/// Two directions through a network's weights, and the grid of points that is looked at.
public struct LossPlane {
    /// A direction: a tensor for every parameter that moves, `nil` for those that stay.
    typealias Axis = [Tensor?]

    let axisX: Axis
    let axisY: Axis
    /// Where the grid's columns and rows lie, rising.
    public let columns: [Double]
    public let rows: [Double]
    /// Shares of the run's squared distances along x and y; of a trajectory.
    public private(set) var explained: (x: Double, y: Double)?
    /// The run's checkpoints on the plane; of a trajectory.
    public private(set) var steps: [PlaneReport.Step] = []

    /// Where a point lies.
    func place(of entry: Int) -> (x: Double, y: Double) {
        precondition(
            (0..<columns.count * rows.count).contains(entry),
            "point \(entry) lies outside \(columns.count) times \(rows.count)")
        return (columns[entry % columns.count], rows[entry / columns.count])
    }

    /// The L2 norms of the two directions.
    public var lengths: (x: Double, y: Double) { (Self.norm(axisX), Self.norm(axisY)) }

    /// The numbers of both directions by parameter, `nil` for those that stay: for tests and
    /// whoever wants to draw them.
    public var directions: (x: [[Float]?], y: [[Float]?]) {
        (axisX.map { $0?.values }, axisY.map { $0?.values })
    }

    private static func norm(_ axis: Axis) -> Double {
        axis.reduce(0) { $0 + ($1.map(Kernels.sumOfSquares) ?? 0) }.squareRoot()
    }
}

// MARK: Random planes

extension LossPlane {
    /// A plane of two random directions around a checkpoint (Li et al., 2018, section 4).
    ///
    /// Each direction is Gaussian, and every filter of it, one output channel of a convolution or
    /// one neuron of a linear layer, is then scaled to the norm of the network's own filter, so
    /// that rescaling a layer changes nothing. Biases, the gains and shifts of norms, and running
    /// statistics stay where they are. Equal streams give equal Gaussian numbers, so that clean
    /// and poisoned runs of a seed are looked at along the same ones.
    public static func random(
        around parameters: ParameterSet, settings: LandscapeSettings, random: RandomStream
    ) -> LossPlane {
        let side = settings.points - 1
        let grid = (0...side).map { settings.reach * Double(2 * $0 - side) / Double(side) }
        return LossPlane(
            axisX: filterNormalized(parameters, random.derived("direction", 0)),
            axisY: filterNormalized(parameters, random.derived("direction", 1)),
            columns: grid, rows: grid)
    }

    private static func filterNormalized(
        _ parameters: ParameterSet, _ random: RandomStream
    ) -> Axis {
        zip(parameters.specs, parameters.tensors).map { spec, weights in
            guard spec.isTrained, spec.shape.count > 1, spec.count > 0 else { return nil }
            var stream = random.derived(spec.name)
            let direction = Tensor((0..<spec.count).map { _ in Float(stream.normal()) })
            let size = spec.count / spec.shape[0]
            for filter in 0..<spec.shape[0] {
                let part = direction.dropping(filter * size).prefix(size)
                let length = Kernels.sumOfSquares(part).squareRoot()
                let wanted = Kernels.sumOfSquares(weights.dropping(filter * size).prefix(size))
                    .squareRoot()
                Kernels.scale(part, by: length > 0 ? Float(wanted / length) : 0)
            }
            return direction
        }
    }
}

// MARK: Trajectories

extension LossPlane {
    /// The plane of a run's trajectory: the first two principal directions of its checkpoints'
    /// differences to the last one (Li et al., 2018, section 7), over all trained parameters.
    ///
    /// Nothing but the last checkpoint is subtracted, so that the plane goes through it; x and y
    /// are L2 distances from it. Running statistics stay those of the last checkpoint.
    ///
    /// - Parameter checkpoints: In the order of their epochs; two at least.
    /// - Throws: `TrainingState.Failure` for a checkpoint of another network.
    public static func trajectory(
        of network: Network, checkpoints: [TrainingState], settings: LandscapeSettings
    ) throws(TrainingState.Failure) -> LossPlane {
        precondition(checkpoints.count > 1, "one checkpoint makes no trajectory")
        var sets: [ParameterSet] = []
        for state in checkpoints {
            let parameters = ParameterSet(network: network)
            try parameters.fill(from: state)
            sets.append(parameters)
        }
        let components = TrajectoryComponents(sets)
        let steps = checkpoints.indices.map { index in
            PlaneReport.Step(
                epoch: checkpoints[index].epoch, x: components.x[index], y: components.y[index],
                distance: components.distance[index])
        }
        let wide = extent(components.x)
        let high = extent(components.y)
        // A run that never left a line, or never moved, is still looked at on a square.
        let least = max(0.05 * max(wide.high - wide.low, high.high - high.low), 1e-3)
        var plane = LossPlane(
            axisX: components.axis(0), axisY: components.axis(1),
            columns: grid(wide, least: least, settings), rows: grid(high, least: least, settings))
        plane.explained = (components.explained(0), components.explained(1))
        plane.steps = steps
        return plane
    }

    private static func extent(_ values: [Double]) -> (low: Double, high: Double) {
        (values.reduce(0, min), values.reduce(0, max))
    }

    private static func grid(
        _ extent: (low: Double, high: Double), least: Double, _ settings: LandscapeSettings
    ) -> [Double] {
        let missing = max(0, least - (extent.high - extent.low)) / 2
        let margin = missing + settings.reach * max(least, extent.high - extent.low)
        let low = extent.low - margin
        let width = extent.high + margin - low
        let side = settings.points - 1
        return (0...side).map { low + width * Double($0) / Double(side) }
    }
}

/// Principal components of checkpoints about the last of them, by the eigenvectors of their inner
/// products: there are few checkpoints and many weights.
private struct TrajectoryComponents {
    private let sets: [ParameterSet]
    private let eigen: SymmetricEigen
    private let total: Double
    /// Coordinates of every checkpoint; zero for the last.
    let x: [Double]
    let y: [Double]
    /// How far each checkpoint lies off the plane.
    let distance: [Double]

    init(_ sets: [ParameterSet]) {
        self.sets = sets
        let last = sets.count - 1
        let squares = sets.map { Self.squaredDistance($0, sets[last]) }
        // <a - c, b - c> from the three distances between a, b and c.
        let products = (0..<last).map { row in
            (0..<last).map { column in
                row == column
                    ? squares[row]
                    : (squares[row] + squares[column]
                        - Self.squaredDistance(sets[row], sets[column])) / 2
            }
        }
        let eigen = SymmetricEigen(products)
        self.eigen = eigen
        total = squares.reduce(0, +)
        func coordinates(_ component: Int) -> [Double] {
            guard Self.counts(component, eigen) else { return sets.map { _ in 0 } }
            let length = eigen.values[component].squareRoot()
            return eigen.vectors[component].map { $0 * length } + [0]
        }
        let (x, y) = (coordinates(0), coordinates(1))
        self.x = x
        self.y = y
        distance = squares.indices.map {
            max(0, squares[$0] - x[$0] * x[$0] - y[$0] * y[$0]).squareRoot()
        }
    }

    private static func squaredDistance(_ left: ParameterSet, _ right: ParameterSet) -> Double {
        left.specs.indices.reduce(0) { sum, index in
            guard left.specs[index].isTrained else { return sum }
            return sum + Kernels.squaredDistance(left.tensors[index], right.tensors[index])
        }
    }

    /// Whether a component is more than rounding.
    private static func counts(_ component: Int, _ eigen: SymmetricEigen) -> Bool {
        eigen.values.indices.contains(component)
            && eigen.values[component] > 1e-12 * max(eigen.values[0], 0)
    }

    /// The share of the squared distances that lies along a component.
    func explained(_ component: Int) -> Double {
        Self.counts(component, eigen) ? eigen.values[component] / total : 0
    }

    /// A component's direction, of unit length; nothing moves along one that does not count.
    func axis(_ component: Int) -> LossPlane.Axis {
        let last = sets.count - 1
        let isReal = Self.counts(component, eigen)
        let length = isReal ? eigen.values[component].squareRoot() : 1
        return sets[last].specs.indices.map { index in
            guard isReal, sets[last].specs[index].isTrained else { return nil }
            return Kernels.weightedDifferences(
                sets[..<last].map { $0.tensors[index] }, from: sets[last].tensors[index],
                weights: eigen.vectors[component].map { $0 / length })
        }
    }
}

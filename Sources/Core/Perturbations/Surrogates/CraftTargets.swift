/// What the images of a batch should be taken for: each one's class, or, where a network learns
/// another task, which image of that task's targets it is and how it is placed.
public struct CraftTargets: Sendable, ExpressibleByArrayLiteral {
    /// One an image; what classifiers are asked.
    public var classes: [Int32]
    /// One an image where the task is another; empty for classifiers.
    var items: [BatchItem]

    /// Classes, image after image.
    public init(_ classes: [Int32]) {
        self.init(classes: classes, items: [])
    }

    public init(arrayLiteral classes: Int32...) {
        self.init(classes)
    }

    init(classes: [Int32], items: [BatchItem]) {
        self.classes = classes
        self.items = items
    }

    /// Images by their places among the targets of a task that is no classification.
    public static func of(_ places: [Int]) -> CraftTargets {
        CraftTargets(
            classes: places.map { _ in 0 }, items: places.map { BatchItem(image: $0) })
    }

    /// How many images.
    var count: Int { classes.count }

    /// The same with other classes.
    func mapped(_ change: (Int32) -> Int32) -> CraftTargets {
        CraftTargets(classes: classes.map(change), items: items)
    }

    /// The same for images that are shifted and flipped by whole pixels.
    public func placed(_ shifts: [ImageShift]) -> CraftTargets {
        var placed = self
        for place in placed.items.indices {
            placed.items[place].placement = Kernels.Placement(
                rowShift: Int(shifts[place].rows), columnShift: Int(shifts[place].columns),
                isFlipped: shifts[place].isFlipped)
        }
        return placed
    }
}

/// What a network makes of one image.
public struct CraftVerdict: Sendable {
    /// In nats for classifiers.
    public var loss: Double
    /// Whether a classifier is right; never at another task.
    public var isRight: Bool
}

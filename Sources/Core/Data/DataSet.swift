/// A data set read whole: what it is, and its training and test images in the files' order.
public struct DataSet: Sendable {
    /// The name it is asked for by, such as `fashion-mnist`.
    public let name: String
    /// What the set is, for plans and keys.
    public let facts: DataFacts
    /// The training images.
    public let train: ImageSet
    /// The test images.
    public let test: ImageSet

    /// Takes every part as given.
    public init(name: String, facts: DataFacts, train: ImageSet, test: ImageSet) {
        self.name = name
        self.facts = facts
        self.train = train
        self.test = test
    }
}

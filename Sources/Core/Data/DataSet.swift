/// A data set read whole: what it is, and its training and test images in the files' order.
public struct DataSet: Sendable {
    /// The name it is asked for by, such as `fashion-mnist`.
    public let name: String
    public let facts: DataFacts
    public let train: ImageSet
    public let test: ImageSet

    public init(name: String, facts: DataFacts, train: ImageSet, test: ImageSet) {
        self.name = name
        self.facts = facts
        self.train = train
        self.test = test
    }
}

import Synchronization

/// Opens data sets and keeps them: a set is read and checked once for as long as the library lives.
///
/// The files of a set are taken not to change meanwhile.
public final class DataSetLibrary: Sendable {
    private struct Shelf: Hashable {
        var name: String
        var folder: String?
    }

    private let facts = Mutex<[Shelf: DataFacts]>([:])
    /// Only the set used last is kept whole, so that memory stays bounded.
    private let latest = Mutex<(shelf: Shelf, set: DataSet)?>(nil)

    /// Where decoded sets are kept; see `DataSetCatalog.open`.
    private let cache: String?

    /// An empty library.
    ///
    /// - Parameter cache: A folder that decoded sets are kept in, to be shared with others.
    public init(cache: String? = nil) { self.cache = cache }

    /// The data set `name`, as `DataSetCatalog.open` finds it.
    public func open(name: String, folder: String? = nil) throws(DataError) -> DataSet {
        let shelf = Shelf(name: name, folder: folder)
        if let kept = latest.withLock({ $0 }), kept.shelf == shelf { return kept.set }
        let set = try DataSetCatalog.open(name: name, folder: folder, cache: cache)
        latest.withLock { $0 = (shelf, set) }
        facts.withLock { $0[shelf] = set.facts }
        return set
    }

    /// What the data set `name` is; reads it when it was not opened before.
    public func facts(name: String, folder: String? = nil) throws(DataError) -> DataFacts {
        if let known = facts.withLock({ $0[Shelf(name: name, folder: folder)] }) { return known }
        return try open(name: name, folder: folder).facts
    }
}

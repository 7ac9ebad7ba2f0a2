import Foundation

/// A moment on a monotonic clock, in nanoseconds from an origin that only its maker knows.
///
/// State machines are handed instants and never ask for them, so that a simulation can set them.
public struct Instant: Hashable, Sendable, Comparable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The system's monotonic clock now.
    public static func now() -> Instant {
        Instant(nanoseconds: Int64(DispatchTime.now().uptimeNanoseconds))
    }

    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    public static func + (instant: Instant, seconds: Double) -> Instant {
        Instant(nanoseconds: instant.nanoseconds + Int64(seconds * 1e9))
    }

    /// Seconds from `earlier` to this instant; negative when it lies after it.
    public func seconds(since earlier: Instant) -> Double {
        Double(nanoseconds - earlier.nanoseconds) / 1e9
    }
}

import Glibc

/// A mutex with two conditions on the monotonic clock: something is there, there is room.
///
/// `Synchronization.Mutex` has no condition to wait on, and Foundation's waits by the wall clock,
/// which may jump.
///
/// Unchecked, because POSIX promises that mutexes and conditions may be used from all threads; the
/// pointers themselves never change.
final class ThreadMonitor: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let filled = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let emptied = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// The two things a thread may wait for.
    enum Condition {
        case somethingThere
        case roomThere
    }

    init() {
        mutex.initialize(to: pthread_mutex_t())
        filled.initialize(to: pthread_cond_t())
        emptied.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(filled, &attributes)
        pthread_cond_init(emptied, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(filled)
        pthread_cond_destroy(emptied)
        pthread_mutex_destroy(mutex)
        filled.deallocate()
        emptied.deallocate()
        mutex.deallocate()
    }

    func lock() { pthread_mutex_lock(mutex) }

    func unlock() { pthread_mutex_unlock(mutex) }

    /// Waits, with the lock held again on return. False means that the time is over.
    func wait(for condition: Condition, until deadline: timespec) -> Bool {
        var deadline = deadline
        return pthread_cond_timedwait(pointer(condition), mutex, &deadline) != ETIMEDOUT
    }

    func signal(_ condition: Condition) { pthread_cond_signal(pointer(condition)) }

    func broadcast(_ condition: Condition) { pthread_cond_broadcast(pointer(condition)) }

    private func pointer(_ condition: Condition) -> UnsafeMutablePointer<pthread_cond_t> {
        switch condition {
        case .somethingThere: filled
        case .roomThere: emptied
        }
    }

    /// The monotonic instant that lies `duration` ahead; at most about 30 years, so it fits.
    static func deadline(after duration: Duration) -> timespec {
        let ahead = min(max(duration, .zero), .seconds(1_000_000_000)).components
        var instant = timespec()
        clock_gettime(CLOCK_MONOTONIC, &instant)
        let nanoseconds = instant.tv_nsec + Int(ahead.attoseconds / 1_000_000_000)
        instant.tv_sec += Int(ahead.seconds) + nanoseconds / 1_000_000_000
        instant.tv_nsec = nanoseconds % 1_000_000_000
        return instant
    }
}

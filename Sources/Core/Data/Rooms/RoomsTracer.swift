/// Where a ray first meets something.
struct RoomsHit {
    var distance: Float
    /// 0 sky, 1 floor, 2 left, 3 right, 4 back, 5 ceiling, from 6 objects.
    var surface: Int
    /// Which side of the surface: of a box twice the axis plus six times the box, of a cylinder 1
    /// for the top.
    var part: Int

    static let none = RoomsHit(distance: .infinity, surface: 0, part: 0)
    static let firstObject = 6
}

/// A box, its corner vectors ready for rays.
struct TracedBox {
    var centre: Vector3
    var halves: Vector3

    /// The distance at which a ray enters, and the axis it enters along.
    @inline(__always)
    func entry(_ origin: Vector3, _ inverse: Vector3) -> (distance: Float, axis: Int) {
        let from = origin - centre
        let x = TracedBox.slab(from.x, halves.x, inverse.x)
        let y = TracedBox.slab(from.y, halves.y, inverse.y)
        let z = TracedBox.slab(from.z, halves.z, inverse.z)
        var near = x.near
        var axis = 0
        if y.near > near { (near, axis) = (y.near, 1) }
        if z.near > near { (near, axis) = (z.near, 2) }
        let far = min(x.far, min(y.far, z.far))
        return near <= far && near > RoomsTracer.nearest ? (near, axis) : (.infinity, axis)
    }

    @inline(__always)
    private static func slab(
        _ from: Float, _ half: Float, _ inverse: Float
    ) -> (near: Float, far: Float) {
        let first = (-half - from) * inverse
        let second = (half - from) * inverse
        return first < second ? (first, second) : (second, first)
    }
}

/// An object made ready for rays.
struct TracedObject {
    var shape: RoomsScene.Object.Shape
    var position: Vector3
    var sine: Float
    var cosine: Float
    var sizes: Vector3
    var boxes: (TracedBox, TracedBox, TracedBox)
    var boxCount: Int
    /// The centre of the ball that holds it, and the square of its radius.
    var ball: Vector3
    var ballSquare: Float
    var material: RoomsMaterial
    /// The pixels that can see it.
    var columns: ClosedRange<Int>
    var rows: ClosedRange<Int>

    init(_ object: RoomsScene.Object) {
        shape = object.shape
        position = Vector3(object.x, 0, object.z)
        sine = object.sine
        cosine = object.cosine
        func size(_ index: Int) -> Float { index < object.sizes.count ? object.sizes[index] : 0 }
        sizes = Vector3(size(0), size(1), size(2))
        let traced = object.boxes.map {
            TracedBox(
                centre: Vector3($0.centre[0], $0.centre[1], $0.centre[2]),
                halves: Vector3($0.halves[0], $0.halves[1], $0.halves[2]))
        }
        let none = TracedBox(centre: Vector3(0, 0, 0), halves: Vector3(0, 0, 0))
        func box(_ index: Int) -> TracedBox { index < traced.count ? traced[index] : none }
        boxes = (box(0), box(1), box(2))
        boxCount = traced.count
        ball = Vector3(object.x, object.ballHeight, object.z)
        ballSquare = object.ballRadius * object.ballRadius
        material = object.material
        columns = 0...Int.max
        rows = 0...Int.max
    }

    /// Whether a ray can meet the ball that holds the object.
    @inline(__always)
    func mayMeet(_ origin: Vector3, _ direction: Vector3) -> Bool {
        let way = ball - origin
        let along = way.dot(direction)
        let outside = way.dot(way) - ballSquare
        if outside > 0, along < 0 { return false }
        return along * along >= outside
    }

    /// Into the object's frame, whose origin stands on the floor.
    @inline(__always)
    func local(point: Vector3) -> Vector3 { (point - position).turned(sine: sine, cosine: cosine) }

    @inline(__always)
    func local(direction: Vector3) -> Vector3 { direction.turned(sine: sine, cosine: cosine) }

    /// Where a ray of the object's own frame meets it first.
    @inline(__always)
    func meet(_ origin: Vector3, _ direction: Vector3) -> (distance: Float, part: Int) {
        switch shape {
        case .sphere: (meetSphere(origin, direction), 0)
        case .box, .arch: meetBoxes(origin, direction)
        case .cylinder: meetCylinder(origin, direction)
        case .cone: (meetCone(origin, direction), 0)
        }
    }

    @inline(__always)
    private func meetSphere(_ origin: Vector3, _ d: Vector3) -> Float {
        let radius = sizes.x
        let o = Vector3(origin.x, origin.y - radius, origin.z)
        // From the place nearest to the centre, where little cancels.
        let middle = -o.dot(d)
        let foot = o + d * middle
        let rest = radius * radius - foot.dot(foot)
        guard rest > 0 else { return .infinity }
        let distance = middle - rest.squareRoot()
        return distance > RoomsTracer.nearest ? distance : .infinity
    }

    @inline(__always)
    private func meetBoxes(_ o: Vector3, _ d: Vector3) -> (distance: Float, part: Int) {
        let inverse = Vector3(
            TracedObject.inverse(d.x), TracedObject.inverse(d.y), TracedObject.inverse(d.z))
        let first = boxes.0.entry(o, inverse)
        var best = (distance: first.distance, part: first.axis)
        guard boxCount > 1 else { return best }
        let second = boxes.1.entry(o, inverse)
        if second.distance < best.distance { best = (second.distance, 3 + second.axis) }
        let third = boxes.2.entry(o, inverse)
        if third.distance < best.distance { best = (third.distance, 6 + third.axis) }
        return best
    }

    /// Keeps rays along a plane finite.
    @inline(__always)
    private static func inverse(_ value: Float) -> Float {
        abs(value) < 1e-12 ? (value < 0 ? -1e12 : 1e12) : 1 / value
    }

    @inline(__always)
    private func meetCylinder(_ o: Vector3, _ d: Vector3) -> (distance: Float, part: Int) {
        let (radius, height) = (sizes.x, sizes.y)
        var best: (distance: Float, part: Int) = (.infinity, 0)
        let a = d.x * d.x + d.z * d.z
        let middle = -(o.x * d.x + o.z * d.z) / max(a, 1e-12)
        let foot = Vector3(o.x + middle * d.x, 0, o.z + middle * d.z)
        let rest = radius * radius - foot.dot(foot)
        if rest > 0, a > 1e-12 {
            let distance = middle - (rest / a).squareRoot()
            let y = o.y + distance * d.y
            if distance > RoomsTracer.nearest, y >= 0, y <= height { best = (distance, 0) }
        }
        if d.y < 0 {
            let distance = (height - o.y) / d.y
            let x = o.x + distance * d.x
            let z = o.z + distance * d.z
            if distance > RoomsTracer.nearest, distance < best.distance,
                x * x + z * z <= radius * radius
            {
                best = (distance, 1)
            }
        }
        return best
    }

    @inline(__always)
    private func meetCone(_ o: Vector3, _ d: Vector3) -> Float {
        let slope = sizes.x / sizes.y
        let square = slope * slope
        let rest = sizes.y - o.y
        let a = d.x * d.x + d.z * d.z - square * d.y * d.y
        let b = o.x * d.x + o.z * d.z + square * rest * d.y
        let c = o.x * o.x + o.z * o.z - square * rest * rest
        let discriminant = b * b - a * c
        guard discriminant > 0 else { return .infinity }
        let root = discriminant.squareRoot()
        // The numerically sound form of both roots.
        let q = b < 0 ? root - b : -root - b
        let first = abs(a) > 1e-12 ? q / a : .infinity
        let second = abs(q) > 1e-12 ? c / q : .infinity
        let (low, high) = first < second ? (first, second) : (second, first)
        if isOnCone(low, o, d, square) { return low }
        return isOnCone(high, o, d, square) ? high : .infinity
    }

    @inline(__always)
    private func isOnCone(_ distance: Float, _ o: Vector3, _ d: Vector3, _ square: Float) -> Bool {
        guard distance > RoomsTracer.nearest, distance < 1e6 else { return false }
        let y = o.y + distance * d.y
        guard y >= 0, y <= sizes.y else { return false }
        let x = o.x + distance * d.x
        let z = o.z + distance * d.z
        return x * d.x + square * (sizes.y - y) * d.y + z * d.z < 0
    }

    /// The unit normal at a place of the object's own frame, in that frame.
    @inline(__always)
    func normal(_ place: Vector3, _ direction: Vector3, part: Int) -> Vector3 {
        switch shape {
        case .sphere:
            return Vector3(place.x, place.y - sizes.x, place.z).normalized
        case .box, .arch:
            switch part % 3 {
            case 0: return Vector3(direction.x > 0 ? -1 : 1, 0, 0)
            case 1: return Vector3(0, direction.y > 0 ? -1 : 1, 0)
            default: return Vector3(0, 0, direction.z > 0 ? -1 : 1)
            }
        case .cylinder:
            return part == 1 ? Vector3(0, 1, 0) : Vector3(place.x, 0, place.z).normalized
        case .cone:
            let slope = sizes.x / sizes.y
            return Vector3(place.x, slope * slope * (sizes.y - place.y), place.z).normalized
        }
    }

    /// The principal curvatures there, in 1/m, the larger first.
    func curvatures(_ place: Vector3, part: Int) -> (Float, Float) {
        let limit: Float = 1 / 0.15
        switch shape {
        case .sphere: return (min(1 / sizes.x, limit), min(1 / sizes.x, limit))
        case .cylinder: return part == 1 ? (0, 0) : (min(1 / sizes.x, limit), 0)
        case .cone:
            let slope = sizes.x / sizes.y
            let cosine = 1 / (1 + slope * slope).squareRoot()
            let radius = (place.x * place.x + place.z * place.z).squareRoot()
            return (min(cosine / max(radius, 1e-6), limit), 0)
        case .box, .arch: return (0, 0)
        }
    }
}

/// Follows rays through a scene.
struct RoomsTracer {
    /// Nearer than this nothing is met, so that a surface does not shade itself.
    static let nearest: Float = 1e-4

    let scene: RoomsScene
    let eye: Vector3
    let objects: UnsafeBufferPointer<TracedObject>

    /// Floor, walls and ceiling, or the sky.
    @inline(__always)
    func meetRoom(_ o: Vector3, _ d: Vector3) -> RoomsHit {
        var hit = RoomsHit.none
        if d.y < 0 {
            let distance = -o.y / d.y
            if !scene.isOpen || distance <= RoomsScene.horizon {
                hit = RoomsHit(distance: distance, surface: 1, part: 0)
            }
        }
        guard !scene.isOpen else { return hit }
        if d.y > 0 {
            hit = RoomsHit(distance: (scene.height - o.y) / d.y, surface: 5, part: 0)
        }
        if d.x != 0 {
            let wall = d.x < 0 ? -scene.halfWidth : scene.halfWidth
            let distance = (wall - o.x) / d.x
            if distance > RoomsTracer.nearest, distance < hit.distance {
                hit = RoomsHit(distance: distance, surface: d.x < 0 ? 2 : 3, part: 0)
            }
        }
        if d.z > 0 {
            let distance = (scene.backWall - o.z) / d.z
            if distance < hit.distance {
                hit = RoomsHit(distance: distance, surface: 4, part: 0)
            }
        }
        return hit
    }

    /// What a ray from the eye meets first, of the objects in `candidates` (a bit each).
    @inline(__always)
    func meet(_ d: Vector3, candidates: UInt32) -> RoomsHit {
        var hit = meetRoom(eye, d)
        guard candidates != 0 else { return hit }
        for index in 0..<objects.count where candidates & (1 << UInt32(index)) != 0 {
            let object = objects.baseAddress.unsafelyUnwrapped + index
            guard object.pointee.mayMeet(eye, d) else { continue }
            let met = object.pointee.meet(
                object.pointee.local(point: eye), object.pointee.local(direction: d))
            if met.distance < hit.distance {
                hit = RoomsHit(
                    distance: met.distance, surface: RoomsHit.firstObject + index, part: met.part)
            }
        }
        return hit
    }

    /// Whether an object stands between a place and the light.
    @inline(__always)
    func isShaded(_ place: Vector3, towards light: Vector3) -> Bool {
        for index in 0..<objects.count {
            let object = objects.baseAddress.unsafelyUnwrapped + index
            guard object.pointee.mayMeet(place, light) else { continue }
            let met = object.pointee.meet(
                object.pointee.local(point: place), object.pointee.local(direction: light))
            if met.distance < .infinity { return true }
        }
        return false
    }

    /// The unit normal of what was met, in the world's frame.
    @inline(__always)
    func normal(_ hit: RoomsHit, _ place: Vector3, _ d: Vector3) -> Vector3 {
        switch hit.surface {
        case 0, 1: return Vector3(0, 1, 0)
        case 2: return Vector3(1, 0, 0)
        case 3: return Vector3(-1, 0, 0)
        case 4: return Vector3(0, 0, -1)
        case 5: return Vector3(0, -1, 0)
        default:
            let object =
                objects.baseAddress.unsafelyUnwrapped + (hit.surface - RoomsHit.firstObject)
            let local = object.pointee.normal(
                object.pointee.local(point: place), object.pointee.local(direction: d),
                part: hit.part)
            return local.turnedBack(sine: object.pointee.sine, cosine: object.pointee.cosine)
        }
    }
}

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

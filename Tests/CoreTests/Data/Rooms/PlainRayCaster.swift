import FathomCore

/// Casts rays through a scene in `Double`, at all primitives, without any shortcut: obviously
/// right, and what the fast renderer is held against.
struct PlainRayCaster {
    let scene: RoomsScene
    let side: Int

    struct Hit {
        var distance = Double.infinity
        /// 0 sky, 1 floor, 2 left, 3 right, 4 back, 5 ceiling, from 6 objects.
        var surface = 0
    }

    static func vector(_ values: [Float]) -> SIMD3<Double> {
        SIMD3(Double(values[0]), Double(values[1]), Double(values[2]))
    }

    static func dot(_ left: SIMD3<Double>, _ right: SIMD3<Double>) -> Double {
        (left * right).sum()
    }

    var eye: SIMD3<Double> { Self.vector(scene.camera.eye) }

    func direction(column: Int, row: Int) -> SIMD3<Double> {
        let tangent = Double(scene.camera.tangent)
        let across = tangent * (2 * (Double(column) + 0.5) / Double(side) - 1)
        let upward = tangent * (1 - 2 * (Double(row) + 0.5) / Double(side))
        let way =
            Self.vector(scene.camera.forward) + Self.vector(scene.camera.right) * across
            + Self.vector(scene.camera.up) * upward
        return way / Self.dot(way, way).squareRoot()
    }

    func meet(_ d: SIMD3<Double>) -> Hit {
        var hit = Hit()
        func consider(_ distance: Double, _ surface: Int) {
            if distance > 1e-4, distance < hit.distance {
                hit = Hit(distance: distance, surface: surface)
            }
        }
        let floor = -eye.y / d.y
        if !scene.isOpen || floor <= Double(RoomsScene.horizon) { consider(floor, 1) }
        if !scene.isOpen {
            if d.y > 0 { consider((Double(scene.height) - eye.y) / d.y, 5) }
            if d.x < 0 { consider((-Double(scene.halfWidth) - eye.x) / d.x, 2) }
            if d.x > 0 { consider((Double(scene.halfWidth) - eye.x) / d.x, 3) }
            if d.z > 0 { consider((Double(scene.backWall) - eye.z) / d.z, 4) }
        }
        for (index, object) in scene.objects.enumerated() {
            let (o, turned) = local(object, d)
            for distance in distances(object, o, turned) { consider(distance, 6 + index) }
        }
        return hit
    }

    /// The eye and a direction in an object's frame.
    func local(
        _ object: RoomsScene.Object, _ d: SIMD3<Double>
    ) -> (SIMD3<Double>, SIMD3<Double>) {
        let sine = Double(object.sine)
        let cosine = Double(object.cosine)
        func turn(_ v: SIMD3<Double>) -> SIMD3<Double> {
            SIMD3(v.x * cosine - v.z * sine, v.y, v.x * sine + v.z * cosine)
        }
        return (turn(eye - SIMD3(Double(object.x), 0, Double(object.z))), turn(d))
    }

    private func distances(
        _ object: RoomsScene.Object, _ o: SIMD3<Double>, _ d: SIMD3<Double>
    ) -> [Double] {
        let size = object.sizes.map { Double($0) }
        switch object.shape {
        case .sphere:
            let from = o - SIMD3(0, size[0], 0)
            return roots(1, Self.dot(from, d), Self.dot(from, from) - size[0] * size[0])
        case .cylinder:
            let side = roots(
                d.x * d.x + d.z * d.z, o.x * d.x + o.z * d.z,
                o.x * o.x + o.z * o.z - size[0] * size[0]
            ).filter { (0...size[1]).contains(o.y + $0 * d.y) }
            let top = (size[1] - o.y) / d.y
            let x = o.x + top * d.x
            let z = o.z + top * d.z
            return side + (x * x + z * z <= size[0] * size[0] ? [top] : [])
        case .cone:
            let square = size[0] * size[0] / (size[1] * size[1])
            let rest = size[1] - o.y
            return roots(
                d.x * d.x + d.z * d.z - square * d.y * d.y,
                o.x * d.x + o.z * d.z + square * rest * d.y,
                o.x * o.x + o.z * o.z - square * rest * rest
            ).filter { (0...size[1]).contains(o.y + $0 * d.y) }
        case .box, .arch:
            return object.boxes.flatMap { faces($0, o, d) }
        }
    }

    private func roots(_ a: Double, _ b: Double, _ c: Double) -> [Double] {
        let discriminant = b * b - a * c
        guard discriminant >= 0 else { return [] }
        return [(-b - discriminant.squareRoot()) / a, (-b + discriminant.squareRoot()) / a]
    }

    /// Where a ray crosses each of the six faces.
    private func faces(
        _ box: RoomsScene.Box, _ o: SIMD3<Double>, _ d: SIMD3<Double>
    ) -> [Double] {
        let centre = Self.vector(box.centre)
        let halves = Self.vector(box.halves)
        var found: [Double] = []
        for axis in 0..<3 {
            for sign in [-1.0, 1] {
                let distance = (centre[axis] + sign * halves[axis] - o[axis]) / d[axis]
                let place = o + d * distance - centre
                let others = (0..<3).filter { $0 != axis }
                if others.allSatisfy({ abs(place[$0]) <= halves[$0] }) { found.append(distance) }
            }
        }
        return found
    }
}

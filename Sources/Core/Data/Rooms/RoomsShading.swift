extension RoomsMaterial {
    /// The color at a place of the surface's own frame, before any light.
    @inline(__always)
    func albedo(_ place: Vector3, noiseAt noisePlace: Vector3) -> Vector3 {
        let base: Vector3
        switch pattern {
        case .plain:
            base = first
        case .stripes:
            base = axes.0.dot(place).floorInteger & 1 == 0 ? first : second
        case .checks:
            let cells =
                axes.0.dot(place).floorInteger &+ axes.1.dot(place).floorInteger
                &+ axes.2.dot(place).floorInteger
            base = cells & 1 == 0 ? first : second
        }
        return base * (0.82 + 0.36 * ValueNoise.value(noisePlace, seed: noiseSeed))
    }
}

/// Random numbers at the places of a lattice, and smooth ones between.
enum ValueNoise {
    /// In 0...1.
    @inline(__always)
    static func value(_ place: Vector3, seed: UInt32) -> Float {
        let x = place.x.floorInteger
        let y = place.y.floorInteger
        let z = place.z.floorInteger
        let u = smooth(place.x - Float(x))
        let v = smooth(place.y - Float(y))
        let w = smooth(place.z - Float(z))
        let (hx, nx) = (spread(x, 0x8DA6_B343), spread(x &+ 1, 0x8DA6_B343))
        let (hy, ny) = (spread(y, 0xD816_3841), spread(y &+ 1, 0xD816_3841))
        let (hz, nz) = (spread(z, 0xCB1A_B31F) ^ seed, spread(z &+ 1, 0xCB1A_B31F) ^ seed)
        let low = mix(
            mix(corner(hx ^ hy ^ hz), corner(nx ^ hy ^ hz), u),
            mix(corner(hx ^ ny ^ hz), corner(nx ^ ny ^ hz), u), v)
        let high = mix(
            mix(corner(hx ^ hy ^ nz), corner(nx ^ hy ^ nz), u),
            mix(corner(hx ^ ny ^ nz), corner(nx ^ ny ^ nz), u), v)
        return mix(low, high, w)
    }

    @inline(__always)
    private static func smooth(_ share: Float) -> Float { share * share * (3 - 2 * share) }

    @inline(__always)
    private static func mix(_ low: Float, _ high: Float, _ share: Float) -> Float {
        low + (high - low) * share
    }

    @inline(__always)
    private static func spread(_ cell: Int32, _ factor: UInt32) -> UInt32 {
        UInt32(bitPattern: cell) &* factor
    }

    /// Wellons' low-bias mixing of 32 bits, then the top 24 as a number in 0..<1.
    @inline(__always)
    private static func corner(_ mixed: UInt32) -> Float {
        var bits = mixed
        bits = (bits ^ (bits >> 16)) &* 0x7FEB_352D
        bits = (bits ^ (bits >> 15)) &* 0x846C_A68B
        return Float((bits ^ (bits >> 16)) >> 8) * 0x1p-24
    }
}

extension RoomsTracer {
    /// The color that a ray brings back. `lit` is the share of direct light, 1 without shadow.
    @inline(__always)
    func color(_ hit: RoomsHit, _ d: Vector3, lit: Float, surfaces: UnsafePointer<RoomsMaterial>)
        -> Vector3
    {
        let light = scene.light
        guard hit.surface > 0 else {
            let share = min(max(3 * d.y, 0), 1)
            return light.skyLow + (light.skyHigh - light.skyLow) * share
        }
        let place = eye + d * hit.distance
        let normal = normal(hit, place, d)
        let brightness =
            light.ambient + light.diffuse * max(0, normal.dot(light.direction)) * lit
        let shade = albedo(hit, place, surfaces) * brightness
        return Vector3(shade.x * light.tint.x, shade.y * light.tint.y, shade.z * light.tint.z)
    }

    @inline(__always)
    private func albedo(
        _ hit: RoomsHit, _ place: Vector3, _ surfaces: UnsafePointer<RoomsMaterial>
    ) -> Vector3 {
        if hit.surface >= RoomsHit.firstObject {
            let object =
                objects.baseAddress.unsafelyUnwrapped + (hit.surface - RoomsHit.firstObject)
            let local = object.pointee.local(point: place)
            return object.pointee.material.albedo(local, noiseAt: local * 5)
        }
        let flat: Vector3
        switch hit.surface {
        case 1, 5: flat = Vector3(place.x, place.z, 0)
        case 2, 3: flat = Vector3(place.z, place.y, 0)
        default: flat = Vector3(place.x, place.y, 0)
        }
        return surfaces[hit.surface - 1].albedo(flat, noiseAt: place * 3)
    }
}

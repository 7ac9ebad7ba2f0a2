/// One question of ZeroMQ's authentication protocol (RFC 27): may this peer come in?
struct ZAPRequest: Equatable {
    let requestID: [UInt8]
    let domain: [UInt8]
    let address: String
    /// The peer's key, proved by the handshake so far; nil when the mechanism is not CURVE.
    let publicKey: CurvePublicKey?

    /// The domain all our listeners ask for.
    static let domain = Array("fathom".utf8)
    /// The most frames a request may have: seven, since CURVE has one credential.
    static let framesMax = 7

    private static let version = Array("1.0".utf8)

    /// Reads a request; nil when it is not one.
    init?(frames: [[UInt8]]) {
        guard frames.count >= 6, frames[0] == Self.version else { return nil }
        requestID = frames[1]
        domain = frames[2]
        address = String(decoding: frames[3], as: UTF8.self)
        let isCurve = frames[5] == Array("CURVE".utf8) && frames.count == 7
        publicKey = isCurve ? CurvePublicKey(bytes: frames[6]) : nil
    }

    /// Decides by the allow-list, and for nobody whose key is not proved.
    func isAllowed(by allowList: Set<CurvePublicKey>) -> Bool {
        guard domain == Self.domain, let publicKey else { return false }
        return allowList.contains(publicKey)
    }

    /// The answer as frames. An accepted peer's key becomes its ZeroMQ user id.
    func reply(isAllowed: Bool) -> [[UInt8]] {
        let status = isAllowed ? "200" : "400"
        let text = isAllowed ? "OK" : "this key is not on the allow-list"
        let userID = isAllowed ? publicKey?.z85 ?? "" : ""
        let words = [status, text, userID].map { Array($0.utf8) }
        return [Self.version, requestID] + words + [[]]
    }
}

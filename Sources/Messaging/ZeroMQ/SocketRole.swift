import CZeroMQ

/// Which end of a connection a socket is, with what that end needs.
enum SocketRole: Sendable {
    case listener(endpoint: String, keyPair: CurveKeyPair)
    case connection(
        endpoint: String, serverKey: CurvePublicKey, keyPair: CurveKeyPair, routingID: RoutingID)

    var isListener: Bool {
        if case .listener = self { true } else { false }
    }

    var endpoint: String {
        switch self {
        case .listener(let endpoint, _), .connection(let endpoint, _, _, _): endpoint
        }
    }

    /// Makes the socket with all its options, not bound or connected yet.
    func makeSocket(
        in context: ZeroMQContext, limits: MessagingLimits
    ) throws(MessagingError) -> ZeroMQSocket {
        let socket = try context.socket(isListener ? ZMQ_ROUTER : ZMQ_DEALER)
        try setLimits(of: socket, limits)
        switch self {
        case .listener(_, let keyPair):
            try socket.set(ZMQ_ROUTER_HANDOVER, 1)
            try socket.set(ZMQ_ROUTER_MANDATORY, 1)
            try socket.set(ZMQ_BACKLOG, 1_024)
            try socket.set(ZMQ_CURVE_SERVER, 1)
            try socket.set(ZMQ_CURVE_SECRETKEY, bytes: keyPair.secretBytes)
            try socket.set(ZMQ_ZAP_DOMAIN, bytes: ZAPRequest.domain)
        case .connection(_, let serverKey, let keyPair, let routingID):
            try socket.set(ZMQ_ROUTING_ID, bytes: routingID.bytes)
            try socket.set(ZMQ_CURVE_SERVERKEY, bytes: serverKey.bytes)
            try socket.set(ZMQ_CURVE_PUBLICKEY, bytes: keyPair.publicKey.bytes)
            try socket.set(ZMQ_CURVE_SECRETKEY, bytes: keyPair.secretBytes)
            try socket.set(ZMQ_CONNECT_TIMEOUT, limits.connectTimeout.milliseconds)
            try socket.set(ZMQ_RECONNECT_IVL, limits.reconnectInterval.milliseconds)
            try socket.set(ZMQ_RECONNECT_IVL_MAX, limits.reconnectIntervalMax.milliseconds)
        }
        return socket
    }

    /// What a CURVE message adds to its payload: its name, a nonce, flags and the authenticator.
    private static let curveOverheadBytes = 8 + 8 + 1 + 16

    private func setLimits(
        of socket: ZeroMQSocket, _ limits: MessagingLimits
    ) throws(MessagingError) {
        try socket.set(
            ZMQ_MAXMSGSIZE, wide: Int64(limits.payloadBytesMax + Self.curveOverheadBytes))
        try socket.set(ZMQ_SNDHWM, Int32(clamping: limits.peerMessagesMax))
        try socket.set(ZMQ_RCVHWM, Int32(clamping: limits.peerMessagesMax))
        try socket.set(ZMQ_LINGER, limits.linger.milliseconds)
        try socket.set(ZMQ_HEARTBEAT_IVL, limits.heartbeatInterval.milliseconds)
        try socket.set(ZMQ_HEARTBEAT_TIMEOUT, limits.heartbeatTimeout.milliseconds)
        try socket.set(ZMQ_HANDSHAKE_IVL, limits.handshakeTimeout.milliseconds)
        // Literal addresses of version 6 are written in brackets.
        if endpoint.contains("[") { try socket.set(ZMQ_IPV6, 1) }
    }
}

// An app's side of Pushbridge's verdict API: PushKit, CallKit, and one HTTPS request that says at once whether the call
// that a push announced is still alive. Take it into your app, and connect the two marked places to your SIP stack.
//
// In the order in which things happen:
//   1. The push arrives. The call goes to CallKit at once, whatever it is: iOS kills an app that does not report it.
//   2. At the same time the app asks for the verdict, and its SIP stack registers; neither waits for the other.
//   3. CallKit shows the call: POST alerting, so that the caller hears it ring.
//   4. The verdict says "ended": the call leaves the screen with the reason that Recents should show.
//   5. The user declines before the INVITE has come: POST decline. After it has come: by SIP, as ever.
//
// The server describes the API itself, at /openapi.json. Needs iOS 13. Everything here runs on the main queue.

import CallKit
import Foundation
import PushKit
import UIKit

/// What the app's SIP stack must offer. All is called on the main queue.
protocol SipStack: AnyObject {
    /// Connect and register now; an INVITE with this UUID in X-Pushbridge-Call-UUID, or this Call-ID, may come.
    func wake(for uuid: UUID, sipCallId: String?)
    /// Answer the INVITE, as soon as it is there; false if it never came.
    func answer(_ uuid: UUID, done: @escaping (Bool) -> Void)
    /// Decline or hang up by SIP; false if there is no INVITE of this call yet.
    func end(_ uuid: UUID) -> Bool
}

final class CallVerdict: NSObject, PKPushRegistryDelegate, CXProviderDelegate {
    /// A call that CallKit was told of.
    private final class Call {
        let uuid: UUID
        let expiresAt: Date
        let url: URL?
        let token: String?
        /// CallKit has it: only then can it be ended there.
        var isShown = false
        /// It was over before CallKit had it.
        var endWhenShown: CXCallEndedReason?

        init(uuid: UUID, payload: [AnyHashable: Any]) {
            self.uuid = uuid
            let milliseconds = (payload["expires-at"] as? NSNumber)?.doubleValue
            expiresAt = milliseconds.map { Date(timeIntervalSince1970: $0 / 1000) } ?? Date(timeIntervalSinceNow: 45)
            url = (payload["verdict-url"] as? String).flatMap { URL(string: $0) }
            token = payload["verdict-token"] as? String
        }
    }

    private let provider: CXProvider
    private let registry = PKPushRegistry(queue: .main)
    private let session: URLSession
    private weak var sip: SipStack?
    private var calls: [UUID: Call] = [:]

    /// Called with the token as hex, to be put into pn-prid of the REGISTER; nil when iOS has taken it back.
    var onToken: ((String?) -> Void)?

    /// Make it in application(_:didFinishLaunchingWithOptions:), also when the app is launched into the background:
    /// a push that launched the app is delivered once the registry is there.
    init(sip: SipStack) {
        self.sip = sip
        let configuration = CXProviderConfiguration()
        configuration.supportedHandleTypes = [.generic, .phoneNumber]
        configuration.supportsVideo = true
        provider = CXProvider(configuration: configuration)
        let quick = URLSessionConfiguration.ephemeral
        quick.timeoutIntervalForRequest = 5
        session = URLSession(configuration: quick, delegate: nil, delegateQueue: .main)
        super.init()
        provider.setDelegate(self, queue: nil)  // nil is the main queue
        registry.delegate = self
        registry.desiredPushTypes = [.voIP]
    }

    // MARK: PushKit

    func pushRegistry(_ registry: PKPushRegistry, didUpdate pushCredentials: PKPushCredentials, for type: PKPushType) {
        onToken?(pushCredentials.token.map { String(format: "%02x", $0) }.joined())
    }

    func pushRegistry(_ registry: PKPushRegistry, didInvalidatePushTokenFor type: PKPushType) {
        onToken?(nil)
    }

    func pushRegistry(
        _ registry: PKPushRegistry,
        didReceiveIncomingPushWith payload: PKPushPayload,
        for type: PKPushType,
        completion: @escaping () -> Void
    ) {
        let content = payload.dictionaryPayload
        // The same in every push of a call and in its INVITE, so a push that comes twice changes nothing. One that
        // cannot be read must be reported all the same, and is ended at once.
        let readable = (content["uuid"] as? String).flatMap { UUID(uuidString: $0) }
        let uuid = readable ?? UUID()
        let isNew = calls[uuid] == nil
        let call = calls[uuid] ?? Call(uuid: uuid, payload: content)
        calls[uuid] = call

        if readable == nil {
            call.endWhenShown = .failed
        } else if call.expiresAt <= Date() {
            // Plainly too old: it rang out before this push arrived.
            call.endWhenShown = .unanswered
        } else if isNew {
            askForVerdict(call)
            sip?.wake(for: uuid, sipCallId: content["sip-call-id"] as? String)
            // Whatever else fails, nothing rings for longer than the caller waits.
            DispatchQueue.main.asyncAfter(deadline: .now() + call.expiresAt.timeIntervalSinceNow) { [weak self] in
                self?.endIfNobodyAnswered(uuid)
            }
        }

        let update = CXCallUpdate()
        let from = content["from-uri"] as? String ?? ""
        let name = content["display-name"] as? String ?? ""
        update.remoteHandle = CXHandle(type: .generic, value: from)
        update.localizedCallerName = name.isEmpty ? from : name
        update.hasVideo = content["video"] as? Bool ?? false
        provider.reportNewIncomingCall(with: uuid, update: update) { [weak self] error in
            // CallKit may call back on another queue.
            DispatchQueue.main.async {
                self?.reported(call, isNew: isNew, error: error)
                completion()
            }
        }
    }

    private func reported(_ call: Call, isNew: Bool, error: Error?) {
        if error != nil {
            // The same call again, or one that Do Not Disturb or a block list keeps from the screen: the user's other
            // devices may go on ringing, so this one stays silent and declines nothing.
            if isNew { calls[call.uuid] = nil }
            return
        }
        call.isShown = true
        if let reason = call.endWhenShown {
            end(call, reason)
        } else {
            send("POST", "alerting", of: call, attempts: 3) { _ in }
        }
    }

    // MARK: The verdict

    private func askForVerdict(_ call: Call) {
        send("GET", nil, of: call, attempts: 5) { [weak self] reason in
            if let reason = reason { self?.end(call, reason) }
        }
    }

    /// Takes the call from the screen, as soon as it is there.
    private func end(_ call: Call, _ reason: CXCallEndedReason) {
        guard calls[call.uuid] === call else { return }
        guard call.isShown else {
            call.endWhenShown = reason
            return
        }
        calls[call.uuid] = nil
        provider.reportCall(with: call.uuid, endedAt: Date(), reason: reason)
    }

    private var answered: Set<UUID> = []

    private func endIfNobodyAnswered(_ uuid: UUID) {
        if let call = calls[uuid], !answered.contains(uuid) { end(call, .unanswered) }
    }

    /// Your SIP stack says here that a call is over by SIP (CANCEL or BYE); see also callEndedReason(sipCause:).
    func callEnded(_ uuid: UUID, _ reason: CXCallEndedReason) {
        answered.remove(uuid)
        if let call = calls[uuid] { end(call, reason) }
    }

    /// What the cause in "Reason: SIP;cause=200" of a CANCEL means.
    static func callEndedReason(sipCause: Int?) -> CXCallEndedReason {
        switch sipCause {
        case 200: return .answeredElsewhere
        case 600, 603: return .declinedElsewhere
        default: return .remoteEnded
        }
    }

    /// Nil: the call goes on, or goes on by SIP.
    private static func callEndedReason(verdict: [String: Any]) -> CXCallEndedReason? {
        guard verdict["status"] as? String == "ended" else { return nil }
        switch verdict["reason"] as? String {
        case "answered-elsewhere": return .answeredElsewhere
        case "declined-elsewhere": return .declinedElsewhere
        case "ring-limit": return .unanswered
        case "failed": return .failed
        case "answered-here": return nil
        default: return .remoteEnded  // caller-gave-up, hung-up, declined-here, and words that are yet to come
        }
    }

    /// Sends one request, again after 429, 503 or a network error; tells why the call is over if the answer says so.
    private func send(
        _ method: String,
        _ action: String?,
        of call: Call,
        attempts: Int,
        done: @escaping (CXCallEndedReason?) -> Void
    ) {
        guard let url = call.url, let token = call.token else { return done(nil) }
        var request = URLRequest(url: action.map { url.appendingPathComponent($0) } ?? url)
        request.httpMethod = method
        request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        session.dataTask(with: request) { [weak self] data, response, _ in
            let answer = response as? HTTPURLResponse
            switch answer?.statusCode {
            case 200:
                let json = data.flatMap { try? JSONSerialization.jsonObject(with: $0) } as? [String: Any]
                done(json.flatMap { CallVerdict.callEndedReason(verdict: $0) })
            case 410:
                done(.remoteEnded)  // so long over that the bridge has forgotten it
            case nil, 429, 503:
                guard let self = self, attempts > 1, call.expiresAt > Date() else { return done(nil) }
                let seconds = (answer?.allHeaderFields["Retry-After"] as? String).flatMap { Double($0) } ?? 0.5
                DispatchQueue.main.asyncAfter(deadline: .now() + seconds) {
                    self.send(method, action, of: call, attempts: attempts - 1, done: done)
                }
            default:
                done(nil)  // no verdict; the call goes on, SIP and expires-at will tell
            }
        }.resume()
    }

    // MARK: CallKit

    func provider(_ provider: CXProvider, perform action: CXAnswerCallAction) {
        answered.insert(action.callUUID)
        guard let sip = sip else { return action.fail() }
        sip.answer(action.callUUID) { isAnswered in
            DispatchQueue.main.async { isAnswered ? action.fulfill() : action.fail() }
        }
    }

    /// The user declines, or hangs up.
    func provider(_ provider: CXProvider, perform action: CXEndCallAction) {
        action.fulfill()
        answered.remove(action.callUUID)
        let call = calls.removeValue(forKey: action.callUUID)
        if sip?.end(action.callUUID) == true { return }
        guard let known = call else { return }
        // iOS may suspend the app as soon as the call screen is gone; this holds it off until the bridge knows.
        var task = UIBackgroundTaskIdentifier.invalid
        let finish = {
            if task != .invalid {
                UIApplication.shared.endBackgroundTask(task)
                task = .invalid
            }
        }
        task = UIApplication.shared.beginBackgroundTask(withName: "decline", expirationHandler: finish)
        send("POST", "decline", of: known, attempts: 5) { _ in finish() }
    }

    func providerDidReset(_ provider: CXProvider) {
        calls.keys.forEach { _ = sip?.end($0) }
        calls.removeAll()
        answered.removeAll()
    }
}
